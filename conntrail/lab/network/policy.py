"""NetworkPolicies as nftables rules: one chain for each pod and direction that some policy isolates.

The lab's own reading of the NetworkPolicy API, independent of the evaluator: here the kernel decides, and what it
does is what the evaluator is compared with.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from conntrail.lab.cluster import Cluster, Object, Pod
from conntrail.lab.selector import matches

DENY: Final = "conntrail.io/lab-deny"
STAGED: Final = "conntrail.io/staged"
"""On a policy that is only tried out: the kernel does not enforce it."""
_SIDES: Final = {"ingress": ("from", "saddr"), "egress": ("to", "daddr")}


def chain_name(pod: Pod, direction: str) -> str:
    """Name of the chain that decides for a pod and a direction."""
    return f"{direction}_{pod.slot}"


def policies_for(cluster: Cluster, pod: Pod, direction: str) -> list[Object]:
    """Policies that isolate a pod in a direction; none isolates one on its node's network."""
    if pod.is_on_host_network:
        return []
    return [
        policy
        for policy in cluster.of_kind("NetworkPolicy")
        if policy["metadata"]["namespace"] == pod.namespace
        and matches(policy["spec"].get("podSelector", {}), pod.labels)
        and direction in _directions(policy["spec"])
        and policy["metadata"].get("annotations", {}).get(STAGED) != "true"
    ]


def policy_chain(cluster: Cluster, pod: Pod, direction: str) -> Iterator[str]:
    """Lines of the chain; nothing when no policy isolates the pod. What a rule allows returns, the rest ends here."""
    policies = policies_for(cluster, pod, direction)
    if not policies:
        return
    yield f"  chain {chain_name(pod, direction)} {{"
    for policy in policies:
        for rule in policy["spec"].get(direction, ()) or ():
            for match in _rule_matches(cluster, policy, pod, direction, rule):
                yield f"    {match} counter return"
    if any(policy["metadata"].get("annotations", {}).get(DENY) == "reset" for policy in policies):
        yield "    meta l4proto tcp counter reject with tcp reset"
    yield "    counter drop"
    yield "  }"


def _directions(spec: Mapping[str, Any]) -> list[str]:
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return [name.lower() for name in types]


def _rule_matches(cluster: Cluster, policy: Object, pod: Pod, direction: str, rule: Mapping[str, Any]) -> Iterator[str]:
    side, field = _SIDES[direction]
    peers = rule.get(side) or [None]
    for peer in peers:
        for address, other in _peer_matches(cluster, policy, peer, field):
            served = pod if direction == "ingress" else other
            for port in _port_matches(rule.get("ports") or [None], served):
                yield f"{address} {port}".strip()


def _peer_matches(
    cluster: Cluster, policy: Object, peer: Mapping[str, Any] | None, field: str
) -> Iterator[tuple[str, Pod | None]]:
    """Match on the peer's address, and the pod that it is, when it is one."""
    if peer is None:
        yield "", None
    elif peer.get("ipBlock"):
        block = peer["ipBlock"]
        network = ipaddress.ip_network(block["cidr"], strict=False)
        family = "ip6" if ":" in block["cidr"] else "ip"
        excluded = [str(ipaddress.ip_network(inner, strict=False)) for inner in block.get("except", ())]
        without = f" {family} {field} != {{ {', '.join(excluded)} }}" if excluded else ""
        yield f"{family} {field} {network}{without}", None
    else:
        for pod in _selected(cluster, policy, peer):
            for address in pod.addresses:
                yield f"{'ip6' if ':' in address else 'ip'} {field} {address}", pod


def _selected(cluster: Cluster, policy: Object, peer: Mapping[str, Any]) -> Iterable[Pod]:
    for pod in cluster.pods:
        if pod.is_on_host_network:
            continue  # its address is the node's, which no selector means
        if peer.get("namespaceSelector") is not None:
            is_there = matches(peer["namespaceSelector"], cluster.namespace_labels(pod.namespace))
        else:
            is_there = pod.namespace == policy["metadata"]["namespace"]
        if is_there and matches(peer.get("podSelector") or {}, pod.labels):
            yield pod


def _port_matches(ports: Iterable[Mapping[str, Any] | None], served: Pod | None) -> Iterator[str]:
    for port in ports:
        if port is None:
            yield ""
            continue
        protocol = port.get("protocol", "TCP").lower()
        wanted = port.get("port")
        if wanted is None:
            yield f"meta l4proto {protocol}"
        elif isinstance(wanted, str):
            number = served.port_named(wanted, protocol.upper()) if served else None
            if number is not None:
                yield f"{protocol} dport {number}"
        elif "endPort" in port:
            yield f"{protocol} dport {wanted}-{port['endPort']}"
        else:
            yield f"{protocol} dport {wanted}"
