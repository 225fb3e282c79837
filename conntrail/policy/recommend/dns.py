"""The cluster's DNS, which nothing works without: whoever is isolated keeps it, also where nobody was seen asking.

A name that is cached or asked for once a day would else be missed in a short period, and an answer that is too long for
UDP is asked for again by TCP (RFC 7766).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from conntrail.policy.cluster.snapshot import Backend, Pod, Service, ServicePort, Snapshot
from conntrail.policy.recommend.demand import Demand, Need, node_peer
from conntrail.policy.recommend.group import Group, Groups
from conntrail.policy.recommend.peer import EveryPod, OutsidePeer, Peer, PodPeer
from streams.metadata.endpoint import Endpoint
from streams.policy.evaluate import evaluate
from streams.policy.network import parse_address
from streams.policy.policy_set import PolicySet
from streams.policy.question import End, Question

_PORT: Final = 53
_PROTOCOLS: Final = ("TCP", "UDP")
_HOMES: Final = ("kube-system", "openshift-dns")
_LINK_LOCAL: Final = "169.254."
"""Where the cache on each node listens (Kubernetes documentation, NodeLocal DNSCache)."""


@dataclass(frozen=True, slots=True)
class Server:
    """Who answers for the cluster's DNS."""

    port: int
    ends: tuple[End, ...]


Servers = dict[Peer, Server]


def servers_of(snapshot: Snapshot, groups: Groups, demand: Demand) -> Servers:
    """Behind the Services of the cluster's DNS, and the caches on nodes that anybody was seen asking."""
    found: Servers = {}
    services = [service for service in snapshot.services.values() if service.namespace in _HOMES]
    for service in services:
        for port in service.ports:
            if port.port == _PORT and port.protocol == "UDP":
                found |= dict(_behind(service, port, snapshot, groups))
    dialled = {address for service in services for address in service.addresses}
    for (_, direction), needs in demand.items():
        for peer, need in needs.items():
            if direction == "egress" and isinstance(peer, OutsidePeer) and ("UDP", _PORT) in need.ports:
                is_cache = peer.address.startswith(_LINK_LOCAL) or peer.address in dialled
                if is_cache:
                    found[peer] = Server(_PORT, (End(None, parse_address(peer.address)),))
    return found


def keep_dns(demand: Demand, group: Group, servers: Servers, present: PolicySet) -> None:
    """Add what keeps a group asking, and a server answering everybody, unless the present policies forbid that."""
    needs = demand.setdefault((group, "egress"), {})
    for peer, need in needs.items():
        if isinstance(peer, OutsidePeer) and ("UDP", _PORT) in need.ports:
            need.is_dns = True
            need.ports |= {("TCP", _PORT)}
    for peer, server in servers.items():
        if peer == PodPeer(group.namespace, group.selection):
            _add(demand.setdefault((group, "ingress"), {}).setdefault(EveryPod(), Need()), _PROTOCOLS, server.port)
            continue
        allowed = [name for name in _PROTOCOLS if not _is_denied(group, server, name, present)]
        if allowed:
            _add(needs.setdefault(peer, Need()), allowed, server.port)


def _add(need: Need, protocols: Iterable[str], port: int) -> None:
    need.is_dns = True
    need.ports |= {(protocol, port) for protocol in protocols}


def _behind(service: Service, port: ServicePort, snapshot: Snapshot, groups: Groups) -> Iterator[tuple[Peer, Server]]:
    for backend in service.backends:
        pod = _pod(backend, snapshot)
        number = None if pod is None else _number(port, pod.endpoint)
        if pod is None or number is None:
            continue
        group = groups.by_workload.get(pod.workload)
        if pod.endpoint.host_network:
            peer = node_peer(pod.endpoint.node_name, pod.endpoint)
            yield peer, Server(number, tuple(End(None, parse_address(address)) for address in peer.addresses))
        elif group is not None:
            yield PodPeer(group.namespace, group.selection), Server(number, tuple(map(_end, group.pods)))


def _pod(backend: Backend, snapshot: Snapshot) -> Pod | None:
    return snapshot.pods.get(backend.pod)


def _number(port: ServicePort, endpoint: Endpoint) -> int | None:
    """Where the Service's port leads on this pod."""
    if not port.target or port.target.isdigit():
        return int(port.target or port.port)
    return next((named.port for named in endpoint.ports if named.name == port.target), None)


def _is_denied(group: Group, server: Server, protocol: str, present: PolicySet) -> bool:
    return any(
        evaluate(present, Question(_end(pod), far, protocol, server.port)).verdict == "deny"
        for pod in group.pods
        for far in server.ends
    )


def _end(pod: Endpoint) -> End:
    return End(pod, next((address for text in pod.addresses if (address := parse_address(text)) is not None), None))
