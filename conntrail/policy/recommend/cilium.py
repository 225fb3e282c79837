"""Recommendations as CiliumNetworkPolicy (docs.cilium.io, "Layer 3 policies", "Layer 4 policies", "DNS based").

ICMP stays out of it: its types are in no record, and no rule about them can be proven.
"""

from collections.abc import Iterator
from typing import Any, Final

from conntrail.policy.recommend.dialect import Dialect, Rule
from conntrail.policy.recommend.draft import Opening
from conntrail.policy.recommend.network_policy import label_selector
from conntrail.policy.recommend.peer import BlockPeer, EveryPod, NamedPeer, NodePeer, PodPeer, RulePeer
from conntrail.policy.recommend.port import Span
from conntrail.policy.recommend.selection import Selection
from streams.policy.question import Direction

_NAMESPACE: Final = "k8s:io.kubernetes.pod.namespace"
_SIDES: Final[dict[Direction, str]] = {"ingress": "from", "egress": "to"}


def _subject(selection: Selection) -> dict[str, Any]:
    return {"endpointSelector": label_selector(selection)}


def _rules(opening: Opening, direction: Direction, namespace: str) -> list[Rule]:
    """Peers of different sorts do not go together in one rule."""
    ports: dict[str, Any] = {"ports": [_port(span) for span in opening.spans]}
    if opening.is_dns and direction == "egress":
        # The proxy learns from the answers which addresses toFQDNs means.
        ports["rules"] = {"dns": [{"matchPattern": "*"}]}
    side = _SIDES[direction]
    by_field: dict[str, list[Any]] = {}
    for peer in opening.peers:
        for field, item in _peer(peer, namespace):
            items = by_field.setdefault(f"{side}{field}", [])
            items += [item] if item not in items else []
    limits = {"toPorts": [ports]} if opening.has_ports else {}
    return [{field: items, **limits} for field, items in by_field.items()]


def _peer(peer: RulePeer, namespace: str) -> Iterator[tuple[str, Any]]:
    match peer:
        case PodPeer():
            where = {} if peer.namespace == namespace else {_NAMESPACE: peer.namespace}
            selector = label_selector(peer.selection)
            labels = {**where, **selector.pop("matchLabels", {})}
            yield "Endpoints", {**({"matchLabels": labels} if labels else {}), **selector}
        case EveryPod():
            yield "Entities", "cluster"
        case NodePeer():
            # Addresses of nodes are in no block of Cilium's, they are entities.
            yield from (("Entities", name) for name in ("host", "remote-node"))
        case BlockPeer():
            exceptions = {"except": list(peer.exceptions)} if peer.exceptions else {}
            yield "CIDRSet", {"cidr": peer.cidr, **exceptions}
        case NamedPeer():
            yield from (("FQDNs", {"matchName": name}) for name in peer.names)


def _port(span: Span) -> dict[str, Any]:
    last = {"endPort": span.last} if span.last != span.first else {}
    return {"port": str(span.first), **last, "protocol": span.protocol}


CILIUM: Final = Dialect(
    api_version="cilium.io/v2",
    kind="CiliumNetworkPolicy",
    subject=_subject,
    rules=_rules,
    protocols=frozenset({"TCP", "UDP", "SCTP"}),
    nothing=({},),
    is_by_name=True,
)
