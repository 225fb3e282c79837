"""What protects each workload, as far as traffic showed it: whether a policy stood behind what went in and out."""

from dataclasses import dataclass
from typing import Final, Literal

from conntrail.policy.history.seen import SeenEnd
from conntrail.report.fact.bounded import Bounded, smallest
from conntrail.report.fact.traffic import Traffic

Direction = Literal["ingress", "egress"]
Protection = Literal["protected", "partly", "open", "unseen"]
MAXIMUM_WORKLOADS: Final = 20_000
MAXIMUM_PEERS: Final = 100
"""Kept of one workload and direction, the first by name."""


_NEVER_MS: Final = 1 << 62


@dataclass(slots=True)
class Reach:
    """What went through in one direction, in windows: one begins and ends with each minute of a pair's traffic."""

    guarded: int = 0
    """Windows in which some policy selected the workload for the direction."""
    bare: int = 0
    """Windows in which none did."""
    connections: int = 0
    """Begun in bare windows."""
    first_ms: int = _NEVER_MS
    """Of bare windows."""
    last_ms: int = 0
    peers: frozenset[str] = frozenset()
    """Of bare windows; inside the cluster."""
    has_outside: bool = False
    """Whether any window, bare or not, crosses the cluster's border."""
    is_bare_outside: bool = False
    namespaces: frozenset[str] = frozenset()
    """Other namespaces, of all windows."""
    denied: int = 0
    """Connections that were denied."""

    def merge(self, other: "Reach", /) -> None:
        """Add."""
        self.guarded += other.guarded
        self.bare += other.bare
        self.connections += other.connections
        self.first_ms, self.last_ms = min(self.first_ms, other.first_ms), max(self.last_ms, other.last_ms)
        self.peers = smallest(self.peers, other.peers, MAXIMUM_PEERS)
        self.has_outside |= other.has_outside
        self.is_bare_outside |= other.is_bare_outside
        self.namespaces = smallest(self.namespaces, other.namespaces, MAXIMUM_PEERS)
        self.denied += other.denied

    @property
    def protection(self) -> Protection:
        """In a word."""
        if not self.bare:
            return "protected" if self.guarded else "unseen"
        return "partly" if self.guarded else "open"


@dataclass(frozen=True, slots=True)
class Workload:
    """Both directions."""

    ingress: Reach
    egress: Reach


class WorkloadBook:
    """Windows in any order in, workloads of a namespace (of all of them when it is empty) out."""

    def __init__(self, namespace: str, maximum: int = MAXIMUM_WORKLOADS) -> None:
        self._namespace = namespace
        self._found: Bounded[tuple[SeenEnd, Direction], Reach] = Bounded(2 * maximum)

    def add(self, window: Traffic) -> None:
        """Take one window in."""
        ends = window.key
        self._add(ends.destination, ends.source, "ingress", window)
        self._add(ends.source, ends.destination, "egress", window)

    def items(self) -> list[tuple[SeenEnd, Workload]]:
        """By name."""
        found = dict(self._found.items())
        ends = dict.fromkeys(end for end, _ in found)
        return [
            (end, Workload(found.get((end, "ingress"), Reach()), found.get((end, "egress"), Reach()))) for end in ends
        ]

    @property
    def has_more(self) -> bool:
        """Whether there was no room for some."""
        return self._found.rest() is not None

    def _add(self, end: SeenEnd, peer: SeenEnd, direction: Direction, window: Traffic) -> None:
        if end.kind == "workload" and self._namespace in ("", end.namespace):
            self._found.add((end, direction), _reach(direction, peer, end, window))


def _reach(direction: Direction, peer: SeenEnd, end: SeenEnd, window: Traffic) -> Reach:
    _, outcome, figures = window
    if outcome.action == "denied":
        return Reach(denied=figures.connections)
    # What could not be judged, or went nowhere, says nothing of what protects the workload.
    if outcome.action != "allowed" or outcome.verdict == "unknown":
        return Reach()
    is_bare = not (figures.ingress if direction == "ingress" else figures.egress)
    is_outside = peer.kind == "outside"
    return Reach(
        guarded=int(not is_bare),
        bare=int(is_bare),
        connections=figures.connections if is_bare else 0,
        first_ms=figures.first_ms if is_bare else _NEVER_MS,
        last_ms=figures.last_ms if is_bare else 0,
        peers=frozenset({str(peer)} if is_bare and not is_outside else ()),
        has_outside=is_outside,
        is_bare_outside=is_outside and is_bare,
        namespaces=frozenset({peer.namespace} if peer.namespace not in ("", end.namespace) else ()),
    )
