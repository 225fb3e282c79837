"""Links, addresses and routes as lines for ``ip -batch``. Pods are routed, not bridged: a node sees all they send.

Between the nodes lies a bridge in a namespace of its own; behind it a host that is outside the cluster.
"""

from collections.abc import Iterator
from typing import Final

from conntrail.errors import CommandError
from conntrail.lab.cluster import Cluster, Node, Pod

FABRIC: Final = "lab-fabric"
OUTSIDE: Final = "lab-outside"
OUTSIDE_ADDRESSES: Final = ("192.0.2.10", "2001:db8:ffff::10")
"""Of what no name leads to."""
NAMED_ADDRESSES: Final = (("192.0.2.11", "2001:db8:ffff::11"), ("192.0.2.12", "2001:db8:ffff::12"))
"""Of what is looked up first: conntrail/lab/zone.py says by which names."""
_GATEWAY: Final = ("172.30.0.254", "fd30::fe")
_POD_GATEWAY: Final = ("169.254.1.1", "fe80::1")


def namespaces(cluster: Cluster) -> list[str]:
    """Every namespace of the lab, pods last. Raises CommandError when a node has the name of one of the lab's own."""
    nodes = [node.name for node in cluster.nodes]
    if taken := {FABRIC, OUTSIDE}.intersection(nodes):
        raise CommandError(f"node {taken.pop()}: the lab has a network namespace of its own of that name; rename it")
    pods = [pod.network_namespace for pod in cluster.pods if not pod.is_on_host_network]
    return [FABRIC, OUTSIDE, *nodes, *pods]


def fabric_lines() -> Iterator[str]:
    """For FABRIC: the bridge."""
    yield "link set lo up"
    yield "link add br0 type bridge"
    yield "link set br0 up"


def attach_lines(name: str, number: int) -> Iterator[str]:
    """For FABRIC: one host on the bridge."""
    yield f"link add port{number} type veth peer name eth0 netns {name}"
    yield f"link set port{number} master br0 up"


def outside_lines() -> Iterator[str]:
    """For OUTSIDE: its addresses, and the way back to the nodes."""
    yield "link set lo up"
    yield "link set eth0 up"
    yield f"addr add {_GATEWAY[0]}/24 dev eth0"
    yield f"addr add {_GATEWAY[1]}/64 dev eth0 nodad"
    for address, address6 in (OUTSIDE_ADDRESSES, *NAMED_ADDRESSES):
        yield f"addr add {address}/32 dev lo"
        yield f"addr add {address6}/128 dev lo nodad"
    # A server of datagrams answers by the route back, and must do so from the address that was called.
    yield f"route replace 172.30.0.0/24 dev eth0 scope link src {OUTSIDE_ADDRESSES[0]}"
    yield f"route add fd30::/64 dev eth0 metric 1 src {OUTSIDE_ADDRESSES[1]}"


def node_lines(cluster: Cluster, node: Node) -> Iterator[str]:
    """For a node: its own address and the way to the other nodes' pods."""
    yield "link set lo up"
    yield "link set eth0 up"
    yield f"addr add {node.addresses[0]}/24 dev eth0"
    yield f"addr add {node.addresses[1]}/64 dev eth0 nodad"
    yield f"route add default via {_GATEWAY[0]}"
    yield f"route add default via {_GATEWAY[1]}"
    for other in cluster.nodes:
        if other != node:
            yield f"route add {other.pod_networks[0]} via {other.addresses[0]}"
            yield f"route add {other.pod_networks[1]} via {other.addresses[1]}"


def pod_node_lines(pod: Pod) -> Iterator[str]:
    """For the node of a pod: its end of the pod's link."""
    yield f"link add {pod.interface} type veth peer name eth0 netns {pod.network_namespace}"
    yield f"addr add {_POD_GATEWAY[0]}/32 dev {pod.interface}"
    yield f"addr add {_POD_GATEWAY[1]}/64 dev {pod.interface} nodad"
    yield f"link set {pod.interface} up"
    yield f"route add {pod.addresses[0]}/32 dev {pod.interface}"
    yield f"route add {pod.addresses[1]}/128 dev {pod.interface}"


def pod_lines(pod: Pod) -> Iterator[str]:
    """For a pod: its addresses and the way out."""
    yield "link set lo up"
    yield "link set eth0 up"
    yield f"addr add {pod.addresses[0]}/32 dev eth0"
    yield f"addr add {pod.addresses[1]}/128 dev eth0 nodad"
    yield f"route add {_POD_GATEWAY[0]} dev eth0 scope link"
    yield f"route add default via {_POD_GATEWAY[0]}"
    yield f"route add default via {_POD_GATEWAY[1]} dev eth0"
