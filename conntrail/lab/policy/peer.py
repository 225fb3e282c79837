"""Pods as rules mean them, turned into addresses."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conntrail.lab.cluster import Cluster, Pod
from conntrail.lab.policy.value import Addresses, Match
from conntrail.lab.selector import matches

_PROTOCOLS = ("TCP", "UDP", "SCTP")


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port by the name that the destination's containers give it."""

    name: str
    protocol: str = ""
    """Empty: whichever has the name."""


def selectable_pods(cluster: Cluster) -> list[Pod]:
    """Pods that policies may mean: one on its node's network is the node to every network plugin."""
    return [pod for pod in cluster.pods if not pod.is_on_host_network]


def pods_across(cluster: Cluster, namespaces: Mapping[str, Any], pods: Mapping[str, Any]) -> Iterator[Pod]:
    """Pods by the labels of their namespace and by their own."""
    for pod in selectable_pods(cluster):
        if matches(namespaces, cluster.namespace_labels(pod.namespace)) and matches(pods, pod.labels):
            yield pod


def addresses_of(pods: Iterable[Pod]) -> Addresses:
    """Of both families."""
    return Addresses(frozenset(address for pod in pods for address in pod.addresses))


def names_of(pods: Iterable[Pod]) -> frozenset[str]:
    """Network namespaces, which no two pods share."""
    return frozenset(pod.network_namespace for pod in pods)


def with_named_port(cluster: Cluster, match: Match, port: NamedPort) -> Iterator[Match]:
    """The destination must be a pod that has the port, at the number that it has there."""
    for protocol in (port.protocol,) if port.protocol else _PROTOCOLS:
        numbers: dict[int, list[Pod]] = {}
        for pod in selectable_pods(cluster):
            number = pod.port_named(port.name, protocol)
            if number is not None:
                numbers.setdefault(number, []).append(pod)
        for number, pods in sorted(numbers.items()):
            destination = (*match.destination, addresses_of(pods))
            yield replace(match, destination=destination, protocol=protocol.lower(), ports=(str(number),))


def with_peer(match: Match, direction: str, *peer: Addresses) -> Match:
    """The far end must be one of these."""
    if direction == "ingress":
        return replace(match, source=(*match.source, *peer))
    return replace(match, destination=(*match.destination, *peer))
