"""What is known of workloads and nodes as those that dial: how long, where to, and whether they look around."""

from typing import Final

from streams.alert.counters import AlertCounters
from streams.alert.fact.domain_name import registered_domain
from streams.alert.rule.condition import Value
from streams.alert.settings import AlertSettings
from streams.alert.signal.end import NOWHERE, End
from streams.alert.state.client import ClientState
from streams.alert.state.distinct import digest
from streams.alert.state.shelf import Shelf
from streams.alert.state.tally import KEPT_NS

_MAXIMUM_TARGETS: Final = 512
_MAXIMUM_NAMES: Final = 512
_REFRESHED_NS: Final = 3600 * 10**9
"""Hearing of a client again is worth a write only so often."""


class ClientBook:
    """Clients by key."""

    def __init__(self, shelf: Shelf[ClientState], settings: AlertSettings, counters: AlertCounters) -> None:
        self._shelf = shelf
        self._settings = settings
        self._counters = counters

    def of(self, end: End, at_ns: int) -> ClientState:
        """What is known of a client; it becomes known now when it was not."""
        key = self._shelf.key(end.key)
        state = self._shelf.get(key)
        if state is None:
            state = ClientState(end, at_ns, at_ns)
            self.keep(state)
        elif state.heard_ns < at_ns - _REFRESHED_NS:
            state.heard_ns = at_ns
            self.keep(state)
        return state

    def known(self, end: End) -> ClientState | None:
        """The same without making it known."""
        return self._shelf.get(self._shelf.key(end.key))

    def keep(self, state: ClientState) -> None:
        """Keep what was changed."""
        self._counters.evicted_clients += len(self._shelf.put(self._shelf.key(state.end.key), state))

    def has_room(self, state: ClientState) -> bool:
        """Whether one more edge of this client is kept; all that is outside is one client, with room of its own."""
        settings = self._settings
        is_outside = state.end == NOWHERE
        return state.edges < (settings.maximum_edges_from_outside if is_outside else settings.maximum_edges_of_source)

    def note_target(self, state: ClientState, destination: End, port: int, at_ns: int, *, works: bool) -> None:
        """A destination that is new or never worked was dialled."""
        host = digest(destination.key)
        target = digest(f"{destination.key}:{port}")
        state.targets.pop(target, None)
        state.targets[target] = (at_ns, host, port, works)
        while len(state.targets) > _MAXIMUM_TARGETS or self._is_old(state, at_ns):
            oldest_ns = state.targets.pop(next(iter(state.targets)))[0]
            self._counters.evicted_targets += oldest_ns > at_ns - KEPT_NS
        state.heard_ns = max(state.heard_ns, at_ns)

    def note_contact(self, state: ClientState, address: str, domain: str, at_ns: int) -> int:
        """An outside destination was met; since when the client knows it, ns: its domain, else its address."""
        what = digest(registered_domain(domain) if domain else address)
        known_ns = state.names.get(what)
        if known_ns is not None:
            return known_ns
        state.names[what] = at_ns
        if len(state.names) > _MAXIMUM_NAMES:
            del state.names[next(iter(state.names))]
            self._counters.evicted_names += 1
        self.keep(state)
        return at_ns

    @staticmethod
    def _is_old(state: ClientState, at_ns: int) -> bool:
        return next(iter(state.targets.values()))[0] <= at_ns - KEPT_NS


def scan_measures(state: ClientState, after_ns: int) -> dict[str, Value]:
    """Distinct destinations of a client after an instant: hosts, most ports on one host, both together."""
    ports: dict[int, set[int]] = {}
    unreached: set[int] = set()
    for at_ns, host, port, works in state.targets.values():
        if at_ns > after_ns:
            ports.setdefault(host, set()).add(port)
            unreached.update(() if works else (host,))
    counts = [len(found) for found in ports.values()]
    return {
        "hosts": float(len(counts)),
        "unreached_hosts": float(len(unreached)),
        "ports": float(max(counts, default=0)),
        "targets": float(sum(counts)),
    }


def source_measures(source: End, known_since_ns: int, at_ns: int) -> dict[str, Value]:
    """The measures of whoever dials."""
    return {
        "source": source.title,
        "source_namespace": source.namespace,
        "source_kind": source.kind,
        "source_name": source.name,
        "source_known_seconds": max(0, at_ns - known_since_ns) / 1e9,
    }


def destination_measures(destination: End, port: int) -> dict[str, Value]:
    """The measures of what is dialled."""
    return {
        "destination": destination.title,
        "destination_namespace": destination.namespace,
        "destination_kind": destination.kind,
        "destination_name": destination.name,
        "port": float(port),
    }
