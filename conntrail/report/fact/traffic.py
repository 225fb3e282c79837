"""Who talked to whom: windows summed up per pair of ends, port, outcome and what the policies said of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from conntrail.policy.history.document import Body, key_of, time_ms
from conntrail.policy.history.seen import SeenEnd, SeenKey
from conntrail.report.fact.bounded import Bounded, smallest

MAXIMUM_PAIRS: Final = 20_000
"""Of one outcome. With MAXIMUM_DETAILS of each, some hundred MB at the very worst, and usually a few."""
MAXIMUM_DETAILS: Final = 64
"""Ports, and addresses outside the cluster, of one pair: those are chosen by whoever sends packets."""
MAXIMUM_NAMES: Final = 50
"""Policies, Services and reasons of one row."""
OTHERS: Final = "others"
"""Stands for the ends that there was no room for."""


class Outcome(NamedTuple):
    """What became of it, and what the policies said."""

    action: str
    """allowed, denied, failed."""
    verdict: str
    """allow, deny, none, unknown."""
    is_drift: bool


@dataclass(slots=True)
class Figures:
    """What windows add up to."""

    connections: int
    """Begun, or tried, in the period; 0 where all of them are older."""
    bytes: int
    """IP bytes, both ways."""
    first_ms: int
    last_ms: int
    services: frozenset[str]
    ingress: frozenset[str]
    """Policies of the destination's side that contributed."""
    egress: frozenset[str]
    denied_by: frozenset[str]
    reasons: frozenset[str]

    def merge(self, other: "Figures", /) -> None:
        """Add."""
        self.connections += other.connections
        self.bytes += other.bytes
        self.first_ms, self.last_ms = min(self.first_ms, other.first_ms), max(self.last_ms, other.last_ms)
        self.services = smallest(self.services, other.services, MAXIMUM_NAMES)
        self.ingress = smallest(self.ingress, other.ingress, MAXIMUM_NAMES)
        self.egress = smallest(self.egress, other.egress, MAXIMUM_NAMES)
        self.denied_by = smallest(self.denied_by, other.denied_by, MAXIMUM_NAMES)
        self.reasons = smallest(self.reasons, other.reasons, MAXIMUM_NAMES)


class Traffic(NamedTuple):
    """One window, or what many add up to: the ends, the outcome, the figures."""

    key: SeenKey
    outcome: Outcome
    figures: Figures


_Details = Bounded[SeenKey, Figures]


class TrafficBook:
    """Windows in any order in; rows in the order of their keys out."""

    def __init__(self, maximum_pairs: int = MAXIMUM_PAIRS, maximum_details: int = MAXIMUM_DETAILS) -> None:
        self._maximum_pairs, self._maximum_details = maximum_pairs, maximum_details
        self._outcomes: dict[Outcome, Bounded[tuple[SeenEnd, SeenEnd], _Details]] = {}

    def add(self, window: Traffic) -> None:
        """Take one window in; its figures are the book's from then on."""
        key, outcome, figures = window
        details = _Details(self._maximum_details)
        details.add(key, figures)
        pairs = self._outcomes.get(outcome)
        if pairs is None:
            pairs = self._outcomes[outcome] = Bounded(self._maximum_pairs)
        pairs.add((_folded(key.source), _folded(key.destination)), details)

    def rows(self) -> Iterator[Traffic]:
        """What there was no room for is a row a pair, and one for all pairs, with ``others`` for an end."""
        for outcome, pairs in sorted(self._outcomes.items()):
            for (source, destination), details in pairs.items():
                for key, figures in details.items():
                    yield Traffic(key, outcome, figures)
                rest = details.rest()
                if rest is not None:
                    yield Traffic(SeenKey(_others(source), _others(destination), "", 0, outcome.action), outcome, rest)
            left = pairs.rest()
            if left is not None:
                nobody = SeenEnd("unknown", name=OTHERS)
                yield Traffic(SeenKey(nobody, nobody, "", 0, outcome.action), outcome, _total(left))


def traffic_of(body: Body) -> Traffic:
    """What one window's document tells."""
    policy = body.get("policy", {})
    outcome = Outcome(body["event"]["action"], policy.get("verdict", ""), bool(policy.get("drift")))
    return Traffic(key_of(body), outcome, _figures(body))


def _figures(body: Body) -> Figures:
    event, policy = body["event"], body.get("policy", {})
    service = body.get("destination", {}).get("service", {})
    return Figures(
        connections=body["flow"]["connections"]["started"],
        bytes=body["network"].get("bytes", 0),
        first_ms=time_ms(event["start"]),
        last_ms=time_ms(event["end"]),
        services=frozenset({f"{service.get('namespace', '')}/{service['name']}"} if "name" in service else ()),
        ingress=_names(policy.get("ingress", {}).get("policies")),
        egress=_names(policy.get("egress", {}).get("policies")),
        denied_by=_names(policy.get("denied_by")),
        reasons=_names(event.get("reason")),
    )


def _names(value: object) -> frozenset[str]:
    """A list of one comes back from a synthetic source as its item."""
    if isinstance(value, list):
        return frozenset(map(str, value))
    return frozenset() if value is None else frozenset({str(value)})


def _folded(end: SeenEnd) -> SeenEnd:
    """Addresses outside the cluster are one end: there may be any number of them."""
    return replace(end, address="") if end.kind == "outside" else end


def _others(end: SeenEnd) -> SeenEnd:
    return replace(end, address=OTHERS) if end.kind == "outside" else end


def _total(details: _Details) -> Figures:
    kept = [figures for _, figures in details.items()]
    rest = details.rest()
    total, *more = [*kept, *([] if rest is None else [rest])]
    for figures in more:
        total.merge(figures)
    return total
