"""Ends that no policy can tell apart, so that a verdict is worked out once for all of them.

Pods of one workload share an identity. Addresses share a class when every CIDR block of the policies holds both or
neither, and ports when no port range does: a scan of addresses or ports adds no classes. Names and requests share one
when the same conditions hold of them.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from streams.metadata.endpoint import Endpoint
from streams.policy.calico.http import OfRequest
from streams.policy.cilium.condition import NamedLike
from streams.policy.cilium.query import OfQueries
from streams.policy.cilium.request import OfRequests
from streams.policy.combination import leaves
from streams.policy.condition import Condition, InNetwork, InNetworks, NamedBy, NamedPort, PortRange
from streams.policy.network import Address, Network
from streams.policy.policy import Policy
from streams.policy.policy_set import PolicySet
from streams.policy.question import Question

Identity = tuple[object, ...]
Answers = tuple[bool | None, ...]


def identity_of(endpoint: Endpoint) -> Identity:
    """Everything of an endpoint that a policy can ask for, but its address."""
    return (
        endpoint.kind,
        endpoint.namespace,
        endpoint.host_network,
        endpoint.service_account,
        frozenset(endpoint.namespace_labels.items()),
        frozenset(endpoint.labels.items()),
        endpoint.ports,
        endpoint.name if endpoint.kind == "node" else "",
    )


@dataclass(frozen=True, slots=True)
class Classes:
    """Of addresses, ports, names and requests, for one set of policies."""

    ipv4_edges: tuple[int, ...]
    ipv6_edges: tuple[int, ...]
    port_edges: tuple[int, ...]
    port_names: frozenset[str]
    names: tuple[Condition, ...] = field(default=())
    """What is asked of names; mostly nothing."""
    requests: tuple[Condition, ...] = field(default=())
    """What is asked of requests of HTTP and queries of DNS; mostly nothing."""

    def of_address(self, address: Address | None) -> int:
        """Negative for IPv6, zero for no address."""
        if address is None:
            return 0
        if address.version == 4:  # noqa: PLR2004 - IP version
            return 1 + bisect_right(self.ipv4_edges, address.value)
        return -1 - bisect_right(self.ipv6_edges, address.value)

    def of_port(self, protocol: str, port: int, destination: Endpoint | None) -> int:
        """Negative for a port that the destination names and a policy asks for."""
        if self.port_names and destination is not None:
            for named in destination.ports:
                if named.port == port and named.protocol == protocol and named.name in self.port_names:
                    return -port
        return bisect_right(self.port_edges, port)

    def of_names(self, question: Question) -> Answers:
        """What the conditions on names say of those of the destination."""
        return tuple(condition.holds(question, "egress") for condition in self.names)

    def of_request(self, question: Question) -> Answers:
        """What the conditions on requests say, the same in both directions."""
        return tuple(condition.holds(question, "ingress") for condition in self.requests)


def asks_for_names(policy: Policy) -> bool:
    """Whether the names of a destination can change what a policy says."""
    return any(isinstance(condition, NamedBy | NamedLike) for condition in _asked([policy]))


def _asked(policies: Iterable[Policy]) -> Iterable[Condition]:
    """Every condition of every rule."""
    rules = (rule for policy in policies for rule in (*(policy.ingress or ()), *(policy.egress or ())))
    return leaves(condition for rule in rules for condition in (*(rule.peers or ()), *(rule.ports or ())))


def classes_of(policies: PolicySet) -> Classes:
    """Collect the edges of all blocks and port ranges."""
    asked = list(_asked(policies.policies))
    networks = list(_networks(asked))
    ranges = [condition for condition in asked if isinstance(condition, PortRange)]
    return Classes(
        ipv4_edges=_edges((block.first, block.last) for block in networks if block.version == 4),  # noqa: PLR2004 - IP version
        ipv6_edges=_edges((block.first, block.last) for block in networks if block.version == 6),  # noqa: PLR2004 - IP version
        port_edges=_edges((port.first, port.last) for port in ranges),
        port_names=frozenset(condition.name for condition in asked if isinstance(condition, NamedPort)),
        names=tuple(dict.fromkeys(item for item in asked if isinstance(item, NamedBy | NamedLike))),
        requests=tuple(dict.fromkeys(item for item in asked if isinstance(item, OfRequest | OfRequests | OfQueries))),
    )


def _networks(conditions: Iterable[Condition]) -> Iterable[Network]:
    """Every block at whose edges an answer can change."""
    for condition in conditions:
        if isinstance(condition, InNetwork):
            yield condition.block
            yield from condition.exceptions
        elif isinstance(condition, InNetworks):
            yield from condition.blocks


def _edges(ranges: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(sorted({edge for first, last in ranges for edge in (first, last + 1)}))
