"""Recommendations as NetworkPolicy of projectcalico.org/v3 (docs.tigera.io, "Network policy").

Names of destinations stay addresses: only commercial editions know ``domains``.
"""

from collections.abc import Iterator
from typing import Any, Final

from conntrail.policy.recommend.dialect import Dialect, Manifest, Rule
from conntrail.policy.recommend.draft import Opening
from conntrail.policy.recommend.peer import BlockPeer, EveryPod, NodePeer, PodPeer, RulePeer, host_block
from conntrail.policy.recommend.port import WITH_PORTS, Span
from conntrail.policy.recommend.selection import Selection
from streams.policy.question import Direction

_NAME_LABEL: Final = "kubernetes.io/metadata.name"


def expression(selection: Selection) -> str:
    """Calico's language for selectors; values of labels hold no quotes (API reference, label syntax)."""
    parts = [*(f"{key} == '{value}'" for key, value in selection.labels), *(f"!has({key})" for key in selection.lacks)]
    return " && ".join(parts) or "all()"


def _subject(selection: Selection) -> dict[str, Any]:
    return {"selector": expression(selection), "types": ["Ingress", "Egress"]}


def _rules(opening: Opening, direction: Direction, namespace: str) -> list[Rule]:
    """A rule has one protocol, and its ports are the destination's whoever the peer is."""
    by_protocol: dict[str, list[Span]] = {}
    for span in opening.spans:
        by_protocol.setdefault(span.protocol, []).append(span)
    found = []
    for protocol, spans in by_protocol.items():
        ports = {"ports": [_port(span) for span in spans]} if protocol in WITH_PORTS else {}
        for entity in _entities(opening.peers, namespace):
            ends = {"source": entity, "destination": ports} if direction == "ingress" else {
                "destination": {**entity, **ports}
            }  # fmt: skip
            kept = {name: end for name, end in ends.items() if end}
            found.append({"action": "Allow", "protocol": _protocol(protocol), **kept})
    return found


def _entities(peers: tuple[RulePeer, ...], namespace: str) -> Iterator[dict[str, Any]]:
    """All fields of an entity must hold, so blocks stand together and selectors each alone."""
    nets: list[str] = []
    for peer in peers:
        if isinstance(peer, NodePeer):
            nets += map(host_block, peer.addresses)
        elif isinstance(peer, BlockPeer) and not peer.exceptions:
            nets.append(peer.cidr)
        else:
            yield _entity(peer, namespace)
    if nets:
        yield {"nets": nets}


def _entity(peer: RulePeer, namespace: str) -> dict[str, Any]:
    match peer:
        case PodPeer():
            where = f"{_NAME_LABEL} == '{peer.namespace}'"
            elsewhere = {} if peer.namespace == namespace else {"namespaceSelector": where}
            return {**elsewhere, "selector": expression(peer.selection)}
        case EveryPod():
            return {"namespaceSelector": "all()"}
        case BlockPeer():
            return {"nets": [peer.cidr], "notNets": list(peer.exceptions)}
        case _:
            raise AssertionError(f"destinations come by address, not as {peer}")


def _protocol(protocol: str) -> str | int:
    return int(protocol) if protocol.isdigit() else protocol


def _port(span: Span) -> int | str:
    return span.first if span.first == span.last else f"{span.first}:{span.last}"


def _staged(manifest: Manifest) -> Manifest:
    return {**manifest, "kind": "StagedNetworkPolicy", "spec": {"stagedAction": "Set", **manifest["spec"]}}


CALICO: Final = Dialect(
    api_version="projectcalico.org/v3",
    kind="NetworkPolicy",
    subject=_subject,
    rules=_rules,
    protocols=None,
    staged=_staged,
)
