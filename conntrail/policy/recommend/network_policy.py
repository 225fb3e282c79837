"""Recommendations as NetworkPolicy of networking.k8s.io/v1 (Kubernetes API reference)."""

from typing import Any, Final

from conntrail.policy.recommend.dialect import Dialect, Rule, staged_by_annotation
from conntrail.policy.recommend.draft import Opening
from conntrail.policy.recommend.peer import BlockPeer, EveryPod, NamedPeer, NodePeer, PodPeer, RulePeer, host_block
from conntrail.policy.recommend.port import Span
from conntrail.policy.recommend.selection import Selection
from streams.policy.question import Direction

_NAME_LABEL: Final = "kubernetes.io/metadata.name"
_SIDES: Final[dict[Direction, str]] = {"ingress": "from", "egress": "to"}


def label_selector(selection: Selection) -> dict[str, Any]:
    """As the API writes it; empty selects everything."""
    found: dict[str, Any] = {}
    if selection.labels:
        found["matchLabels"] = dict(selection.labels)
    if selection.lacks:
        found["matchExpressions"] = [{"key": key, "operator": "DoesNotExist"} for key in selection.lacks]
    return found


def _subject(selection: Selection) -> dict[str, Any]:
    return {"podSelector": label_selector(selection), "policyTypes": ["Ingress", "Egress"]}


def _rules(opening: Opening, direction: Direction, namespace: str) -> list[Rule]:
    found: Rule = {_SIDES[direction]: [item for peer in opening.peers for item in _peer(peer, namespace)]}
    if opening.has_ports:
        found["ports"] = [_port(span) for span in opening.spans]
    return [found]


def _peer(peer: RulePeer, namespace: str) -> list[dict[str, Any]]:
    match peer:
        case PodPeer():
            pods = {"podSelector": label_selector(peer.selection)}
            if peer.namespace == namespace:
                return [pods]
            return [{"namespaceSelector": {"matchLabels": {_NAME_LABEL: peer.namespace}}, **pods}]
        case EveryPod():
            return [{"namespaceSelector": {}}]
        case NodePeer():
            return [{"ipBlock": {"cidr": host_block(address)}} for address in peer.addresses]
        case BlockPeer():
            exceptions = {"except": list(peer.exceptions)} if peer.exceptions else {}
            return [{"ipBlock": {"cidr": peer.cidr, **exceptions}}]
        case NamedPeer():
            raise AssertionError("NetworkPolicy knows no names: destinations come by address")


def _port(span: Span) -> dict[str, Any]:
    last = {"endPort": span.last} if span.last != span.first else {}
    return {"protocol": span.protocol, "port": span.first, **last}


NETWORK_POLICY: Final = Dialect(
    api_version="networking.k8s.io/v1",
    kind="NetworkPolicy",
    subject=_subject,
    rules=_rules,
    protocols=frozenset({"TCP", "UDP", "SCTP"}),
    staged=staged_by_annotation,
)
