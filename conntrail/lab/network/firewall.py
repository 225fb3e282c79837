"""A node's whole nftables ruleset: services by DNAT, traffic out by masquerade, policies at forward."""

from collections.abc import Iterator
from typing import Final

from conntrail.lab.cluster import Cluster, Node, Pod, Service
from conntrail.lab.network.policy import chain_name, policy_chains
from conntrail.lab.policy.stack import Stack, policy_stack
from conntrail.lab.policy.value import DIRECTIONS

_INSIDE: Final = (
    ("ip", "{ 10.244.0.0/16, 10.96.0.0/16, 172.30.0.0/24 }", "10.244.0.0/16"),
    ("ip6", "{ fd00:244::/32, fd00:96::/32, fd30::/64 }", "fd00:244::/32"),
)
_FAMILIES: Final = ("ip", "ip6")


def ruleset(cluster: Cluster, node: Node) -> str:
    """Script for ``nft -f``; replaces the table in one transaction. Raises CommandError as ``policy_stack`` does."""
    stack = policy_stack(cluster)
    pods = [pod for pod in cluster.pods if pod.node == node and not pod.is_on_host_network]
    lines = ["add table inet lab", "delete table inet lab", "table inet lab {"]
    for pod in pods:
        for direction in DIRECTIONS:
            lines += policy_chains(stack, pod, direction)
    lines += _nat(cluster, pods)
    lines += _filter(cluster, stack, pods)
    return "\n".join([*lines, "}", ""])


def _nat(cluster: Cluster, pods: list[Pod]) -> Iterator[str]:
    yield "  chain services {"
    for service in cluster.services:
        yield from _service_rules(cluster, service)
    yield "  }"
    yield "  chain arriving { type nat hook prerouting priority dstnat; policy accept; jump services; }"
    yield "  chain own { type nat hook output priority -100; policy accept; jump services; }"
    yield "  chain leaving {"
    yield "    type nat hook postrouting priority srcnat; policy accept;"
    for family, inside, networks in _INSIDE:
        yield f'    oifname "eth0" {family} saddr {networks} {family} daddr != {inside} masquerade'
    # A pod that a service leads back to itself would else see a packet of its own address, and drop it.
    for pod in pods:
        for family, address in zip(_FAMILIES, pod.addresses, strict=True):
            yield f"    {family} saddr {address} {family} daddr {address} masquerade"
    yield "  }"


def _service_rules(cluster: Cluster, service: Service) -> Iterator[str]:
    """Each endpoint in turn, by chance; the last takes what is left."""
    for port in service.ports:
        protocol = port.get("protocol", "TCP")
        endpoints = cluster.ready_endpoints(service, port)
        for version, address in enumerate(service.addresses):
            family = _FAMILIES[version]
            for position, (pod, target) in enumerate(endpoints):
                left = len(endpoints) - position
                chance = f"numgen random mod {left} 0 " if left > 1 else ""
                to = f"[{pod.addresses[version]}]" if version else pod.addresses[version]
                yield (
                    f"    {family} daddr {address} {protocol.lower()} dport {port['port']} "
                    f"{chance}dnat {family} to {to}:{target}"
                )


def _filter(cluster: Cluster, stack: Stack, pods: list[Pod]) -> Iterator[str]:
    for name, hook in (("through", "forward"), ("out", "output"), ("here", "input")):
        yield f"  chain {name} {{"
        yield f"    type filter hook {hook} priority filter; policy accept;"
        yield "    ct state established,related accept"
        if hook != "input":
            yield from _without_endpoints(cluster)
        if hook == "forward":
            yield from _to_themselves(pods)
            yield from _policy_jumps(stack, pods, "egress", "saddr")
            yield from _policy_jumps(stack, pods, "ingress", "daddr")
        if hook == "input":
            # What a pod sends to its own node is egress, too; without its neighbours (RFC 4861) it would send nothing.
            yield "    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept"
            yield from _policy_jumps(stack, pods, "egress", "saddr")
        yield "  }"


def _without_endpoints(cluster: Cluster) -> Iterator[str]:
    """A service's port that leads nowhere is refused, as kube-proxy does."""
    for service in cluster.services:
        for port in service.ports:
            if not cluster.ready_endpoints(service, port):
                protocol = port.get("protocol", "TCP").lower()
                for version, address in enumerate(service.addresses):
                    yield f"    {_FAMILIES[version]} daddr {address} {protocol} dport {port['port']} counter reject"


def _to_themselves(pods: list[Pod]) -> Iterator[str]:
    """A pod's own traffic to itself is never denied (NetworkPolicy API)."""
    for pod in pods:
        for family, address in zip(_FAMILIES, pod.addresses, strict=True):
            yield f"    {family} saddr {address} {family} daddr {address} accept"


def _policy_jumps(stack: Stack, pods: list[Pod], direction: str, field: str) -> Iterator[str]:
    for pod in pods:
        if stack.chosen(pod, direction):
            for family, address in zip(_FAMILIES, pod.addresses, strict=True):
                yield f"    {family} {field} {address} jump {chain_name(pod, direction)}"
