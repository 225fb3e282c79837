"""One pod or node through its life: its states, and the addresses that it has had."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from streams.metadata.claim import ENDLESS_NS
from streams.metadata.endpoint import Endpoint
from streams.metadata.history import History, Span
from streams.metadata.membership import PodName
from streams.metadata.pod import Record, Tenure, endpoint_of, tenures_of

Labels = Mapping[str, str]
_NO_LABELS: Labels = {}


@dataclass(slots=True, eq=False)
class Holder:
    """Takes in the records of one object, the newest of which tells of addresses and deletion."""

    number: int
    key: str
    name: PodName
    """Namespace and name; a node's namespace is empty."""
    states: History[Endpoint] = field(default_factory=History)
    tenures: tuple[Tenure, ...] = ()
    told_at_ns: int = -1
    """Observation of the newest record."""
    deleted_at_ns: int | None = None
    services: tuple[str, ...] = ()
    named: list[tuple[int, Endpoint]] = field(default_factory=list)
    """Endpoint numbers given out for the states, with what each was given for."""

    def take(self, record: Record) -> None:
        """Take in a record."""
        observed = record["observed_at_ns"]
        if observed >= self.told_at_ns:
            self.tenures = _joined(tenures_of(record), self.tenures, observed)
            self.deleted_at_ns = record["deleted_at_ns"]
        else:
            self.tenures = _joined(self.tenures, tenures_of(record), self.told_at_ns)
        self.told_at_ns = max(self.told_at_ns, observed)
        if record["deleted_at_ns"] is None or not self.states:
            # The addresses of an endpoint are no state of it: they have times of their own.
            self.states.put(observed, replace(endpoint_of(record), addresses=()))

    def end(self, at_ns: int) -> None:
        """Say that the object is gone, which no record told."""
        if self.deleted_at_ns is None:
            self.deleted_at_ns = at_ns
            self.tenures = tuple(tenure._replace(released_at_ns=min(tenure.released_at_ns, at_ns))
                                 for tenure in self.tenures)  # fmt: skip

    def spans(self, namespace: History[Labels] | None, services: tuple[str, ...]) -> Iterator[Span[Endpoint]]:
        """The endpoint's states, with the labels that its namespace had, and the Services that lead to it.

        No Services means those that it had last: a deleted pod leaves its EndpointSlices first.
        """
        self.services = services or self.services
        addresses = tuple(dict.fromkeys(tenure.address for tenure in self.tenures))
        for state in _placed(self.states.spans()):
            for labels in namespace.spans() if namespace else (Span(0, ENDLESS_NS, _NO_LABELS),):
                start, end = max(state.start_ns, labels.start_ns), min(state.end_ns, labels.end_ns)
                if start < end:
                    named = replace(state.value, namespace_labels=labels.value, services=self.services)
                    yield Span(start, end, replace(named, addresses=addresses))

    def is_over_before(self, at_ns: int) -> bool:
        """Whether no flow that started at or after an instant can be this one's."""
        return self.deleted_at_ns is not None and self.deleted_at_ns < at_ns

    def forget_before(self, at_ns: int) -> bool:
        """Drop states and addresses that ended by an instant. Returns whether there were any."""
        kept = tuple(tenure for tenure in self.tenures if tenure.released_at_ns > at_ns)
        has_fewer = len(kept) < len(self.tenures)
        self.tenures = kept
        return self.states.forget_before(at_ns) or has_fewer


def _placed(states: Iterator[Span[Endpoint]]) -> Iterator[Span[Endpoint]]:
    """A pod without a node has no address yet: what it becomes when it gets one held from its beginning.

    The watch may tell of it after its first packet.
    """
    unplaced: Span[Endpoint] | None = None
    for span in states:
        if not span.value.node_name:
            unplaced = unplaced or span
            continue
        yield span if unplaced is None else span._replace(start_ns=unplaced.start_ns)
        unplaced = None
    if unplaced is not None:
        yield unplaced._replace(end_ns=ENDLESS_NS)


def _joined(told: tuple[Tenure, ...], before: tuple[Tenure, ...], told_at_ns: int) -> tuple[Tenure, ...]:
    """An address of which the newer record tells nothing any more was held until then."""
    named = {tenure.address for tenure in told}
    dropped = (
        tenure._replace(released_at_ns=min(tenure.released_at_ns, told_at_ns))
        for tenure in before
        if tenure.address not in named
    )
    return (*told, *dropped)
