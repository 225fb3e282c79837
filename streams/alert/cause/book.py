"""What happened lately, to be looked through when something fails."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from streams.alert.cause.happening import Happening
from streams.alert.cause.rank import Cause, ranked
from streams.alert.counters import AlertCounters
from streams.alert.fact.subject import Context
from streams.alert.signal.end import End
from streams.alert.state.shelf import Shelf

_FAILING_SHARE: Final = 0.2
_LEAST_FAILURES: Final = 5
_DNS_WINDOW_NS: Final = 60 * 10**9
_AFFECTED_BY_DNS: Final = frozenset({"timeout", "error"})


class HappeningBook:
    """Changes and warnings by id. ``failing``: failures and questions of a client's DNS in a window before a time."""

    def __init__(
        self,
        shelf: Shelf[Happening],
        look_back_ns: int,
        failing: Callable[[End, int, int], tuple[int, int]],
        counters: AlertCounters,
    ) -> None:
        self._shelf = shelf
        self._look_back_ns = look_back_ns
        self._failing = failing
        self._counters = counters
        self._live = {key: happening for key in shelf if (happening := shelf.get(key)) is not None}

    def note(self, happening: Happening) -> bool:
        """Whether it is new, or tells more than before: of two records of one id the one with the later request."""
        key = self._shelf.key(happening.id)
        known = self._live.get(key)
        is_event = happening.id.startswith("event:")
        if known is not None and not is_event and known.by_at_ns >= happening.by_at_ns:
            return False
        if known is not None and is_event and known.at_ns >= happening.at_ns:
            return False
        self._live[key] = happening
        gone = self._shelf.put(key, happening)
        self._counters.evicted_changes += len(gone)
        self._drop(gone)
        return True

    def get(self, identity: str) -> Happening | None:
        """One of them."""
        return self._live.get(self._shelf.key(identity))

    def causes(self, context: Context, since_ns: int) -> list[Cause]:
        """Candidates for what began to fail at an instant, the likeliest first."""
        return ranked((*self._live.values(), *self._names(context, since_ns)), context, since_ns, self._look_back_ns)

    def may_cause(self, happening: Happening, context: Context, since_ns: int) -> bool:
        """Whether it is a candidate for what began to fail at an instant."""
        return bool(ranked((happening,), context, since_ns, self._look_back_ns))

    def forget_before(self, oldest_ns: int) -> None:
        """Drop what is too old to be a cause of anything."""
        self._drop(self._shelf.drop_before(oldest_ns))

    def _drop(self, gone: Iterable[tuple[str, Happening]]) -> None:
        for key, _ in gone:
            self._live.pop(key, None)

    def _names(self, context: Context, since_ns: int) -> Iterator[Happening]:
        """The client's DNS, when that fails too."""
        source = context.source
        if source is None or context.mode not in _AFFECTED_BY_DNS:
            return
        failures, queries = self._failing(source, since_ns, _DNS_WINDOW_NS)
        if failures < _LEAST_FAILURES or failures < _FAILING_SHARE * queries:
            return
        yield Happening(
            f"dns:{source.key}", since_ns, "dns", f"{source.kind}/{source.namespace}/{source.name}", source.namespace,
            source.name, "failing", f"{failures} of {queries} look-ups of {source.title} failed within a minute",
            workloads=[source.workload] if source.workload else [],
        )  # fmt: skip
