"""NetworkPolicy of Kubernetes. Whom one selects is denied what none of those that select it allows."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from conntrail.lab.cluster import Cluster, Object, Pod
from conntrail.lab.policy.annotation import does_reset
from conntrail.lab.policy.peer import NamedPort, addresses_of, names_of, selectable_pods, with_named_port, with_peer
from conntrail.lab.policy.value import Addresses, Match, Policy, Rule, Tier
from conntrail.lab.selector import matches

_SIDES: Final = {"ingress": "from", "egress": "to"}
_ORDER: Final = 1000.0
"""Of all of them among Calico's policies of the default tier (docs.tigera.io, "Kubernetes network policy")."""


def network_policy(cluster: Cluster, value: Object, tier: Tier) -> Policy:
    """Read one, of a form that was checked."""
    metadata, spec = value["metadata"], value["spec"]
    namespace, name = metadata["namespace"], metadata["name"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    subjects = [
        pod
        for pod in selectable_pods(cluster)
        if pod.namespace == namespace and matches(spec.get("podSelector"), pod.labels)
    ]
    return Policy(
        title=f"NetworkPolicy {namespace}/{name}",
        tier=tier,
        order=_ORDER,
        tie=f"{name}/{namespace}/KubernetesNetworkPolicy",
        subjects=names_of(subjects),
        rules={
            direction: tuple(
                Rule(f"{direction}[{index}]", "allow", tuple(_matches(cluster, namespace, direction, rule)))
                for index, rule in enumerate(spec.get(direction) or ())
            )
            for direction in (item.lower() for item in types)
        },
        does_reset=does_reset(value),
    )


def _matches(cluster: Cluster, namespace: str, direction: str, rule: Mapping[str, Any]) -> Iterator[Match]:
    for peer in rule.get(_SIDES[direction]) or [None]:
        far = () if peer is None else _far_end(cluster, namespace, peer)
        for port in rule.get("ports") or [None]:
            yield from _with_port(cluster, with_peer(Match(), direction, *far), port)


def _far_end(cluster: Cluster, namespace: str, peer: Mapping[str, Any]) -> tuple[Addresses, ...]:
    if block := peer.get("ipBlock"):
        excluded = frozenset(block.get("except") or ())
        within = Addresses(frozenset({block["cidr"]}))
        return (within, Addresses(excluded, is_negated=True)) if excluded else (within,)

    def is_meant(pod: Pod) -> bool:
        if peer.get("namespaceSelector") is None:
            is_there = pod.namespace == namespace
        else:
            is_there = matches(peer["namespaceSelector"], cluster.namespace_labels(pod.namespace))
        return is_there and matches(peer.get("podSelector"), pod.labels)

    return (addresses_of(filter(is_meant, selectable_pods(cluster))),)


def _with_port(cluster: Cluster, match: Match, port: Mapping[str, Any] | None) -> Iterator[Match]:
    if port is None:
        yield match
        return
    protocol, wanted = port.get("protocol", "TCP"), port.get("port")
    if isinstance(wanted, str):
        yield from with_named_port(cluster, match, NamedPort(wanted, protocol))
        return
    ports = () if wanted is None else (f"{wanted}-{port['endPort']}" if "endPort" in port else str(wanted),)
    yield Match(match.source, match.destination, protocol.lower(), ports)
