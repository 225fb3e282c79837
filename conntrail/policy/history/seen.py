"""What was seen in a period: who talked to whom, how much, and what became of it; values only.

Windows carry workloads, not pods, and live longest (30 days in Elasticsearch, 7 in Kafka): sums come from them. Flows
carry pods with their labels and addresses, and the names that were resolved, but live shorter (7 days, 1 day): they
give the examples that a replay judges. Where no flow is left, the present pods of the workload stand in for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

EndKind = Literal["workload", "node", "outside", "unknown"]
MAXIMUM_EXAMPLES: Final = 8
"""Pods and domains kept for each end of a record, the first by name, so that every reader keeps the same ones."""
_PROTOCOLS: Final = {"tcp": "TCP", "udp": "UDP", "sctp": "SCTP", "icmp": "ICMP", "ipv6-icmp": "ICMPv6"}


@dataclass(frozen=True, slots=True, order=True)
class SeenEnd:
    """One end of what was seen. ``unknown``: a window that had too many groups lost who it was."""

    kind: EndKind
    namespace: str = ""
    workload_kind: str = ""
    name: str = ""
    """Of the workload or the node."""
    address: str = ""
    """Of an end outside the cluster; empty for others."""

    def __str__(self) -> str:
        if self.kind == "outside":
            return self.address
        if self.kind == "node":
            return f"node/{self.name}"
        return f"{self.namespace}/{self.name}" if self.kind == "workload" else "unknown"


def end_of(namespace: str, workload_kind: str, name: str, address: str) -> SeenEnd:
    """The end that a document tells of; an end inside the cluster has no address here."""
    if name:
        return SeenEnd("node" if workload_kind == "Node" else "workload", namespace, workload_kind, name)
    return SeenEnd("outside", address=address) if address else SeenEnd("unknown")


def protocol_of(transport: str) -> str:
    """The evaluator's word for an ECS network.transport."""
    return _PROTOCOLS.get(transport, transport)


@dataclass(frozen=True, slots=True, order=True)
class SeenKey:
    """What tells one record from another."""

    source: SeenEnd
    destination: SeenEnd
    protocol: str
    """TCP, UDP, SCTP, ICMP, ICMPv6 or an IANA number."""
    port: int
    """The destination's; 0 where the protocol has none, or a window lost it."""
    action: str
    """allowed, denied or failed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen of one key in the period."""

    key: SeenKey
    connections: int
    """Started or attempted in the period; 0 where all of them are older."""
    flows: int
    """Connections active in a window, summed over the windows."""
    bytes: int
    """IP bytes, both ways."""
    first_seen_ms: int
    """Begin of the first window, Unix time in ms."""
    last_seen_ms: int
    """End of the last window, Unix time in ms."""
    source_pods: tuple[str, ...] = ()
    """Examples, ``namespace/name``: keys of ``History.pods``."""
    destination_pods: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    """Names that sources had resolved to the destination's address; only for those outside the cluster."""


@dataclass(frozen=True, slots=True)
class SeenPod:
    """A pod as flows last showed it; it may be gone."""

    end: SeenEnd
    name: str
    labels: Mapping[str, str]
    node_name: str
    addresses: tuple[str, ...]
    last_seen_ms: int

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.end.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class HitKey:
    """One rule of one policy in one direction; rule -1 is the default deny."""

    kind: str
    namespace: str
    name: str
    tier: str
    direction: str
    rule: int
    action: str


@dataclass(frozen=True, slots=True)
class RuleHits:
    """How much a rule decided in the period."""

    key: HitKey
    connections: int
    flows: int
    bytes: int
    allowed: int
    denied: int
    first_seen_ms: int
    last_seen_ms: int


@dataclass(frozen=True, slots=True)
class History:
    """A period as one source of history shows it. Records are sorted by key."""

    seen: tuple[Seen, ...] = ()
    pods: Mapping[str, SeenPod] = field(default_factory=dict)
    """By ``namespace/name``: the state that was seen last."""
    hits: tuple[RuleHits, ...] = ()
    origin: str = ""
    """elasticsearch or kafka."""
    notes: tuple[str, ...] = ()
    """In words: what was cut, what could not be read, which windows are incomplete. Empty: all is there."""
