"""What is asked of the policies: may this end open a connection to that end, by this protocol, to this port."""

from dataclasses import dataclass
from typing import Literal

from streams.metadata.endpoint import Endpoint
from streams.policy.network import Address

Direction = Literal["egress", "ingress"]


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection. Without an endpoint it is outside the cluster; without an address no CIDR holds it."""

    endpoint: Endpoint | None
    address: Address | None
    domains: tuple[str, ...] | None = None
    """Names that the source had resolved to this address; None where that is not known."""

    @property
    def pod(self) -> Endpoint | None:
        """The pod that policies may select: pods on the host's network are the node to a network plugin.

        Kubernetes documentation, Network Policies, "NetworkPolicy and hostNetwork pods".
        """
        endpoint = self.endpoint
        return None if endpoint is None or endpoint.kind != "pod" or endpoint.host_network else endpoint

    @property
    def node_name(self) -> str:
        """The node that this end runs on or is; empty outside the cluster."""
        if self.endpoint is None:
            return ""
        return self.endpoint.name if self.endpoint.kind == "node" else self.endpoint.node_name


@dataclass(frozen=True, slots=True)
class Question:
    """The ends after NAT is undone; ``port`` is the destination's, 0 where the protocol has none."""

    source: End
    destination: End
    protocol: str
    """TCP, UDP, SCTP, ICMP, ICMPv6 or an IANA number."""
    port: int
    http: tuple[str, str] | None = None
    """Method and path of a request; None where only the connection is asked about."""
    dns: str | None = None
    """Name that a query of DNS asks for; None likewise."""

    def peer(self, direction: Direction) -> End:
        """The far end as a rule of this direction sees it."""
        return self.destination if direction == "egress" else self.source

    def is_to_itself(self) -> bool:
        """Tell whether a pod talks to itself, which no policy forbids."""
        source, destination = self.source.pod, self.destination.pod
        if source is None or destination is None:
            return False
        return (source.namespace, source.name, source.uid) == (destination.namespace, destination.name, destination.uid)

    def is_from_own_node(self) -> bool:
        """Tell whether the pod's own node is calling: always let in (API documentation of NetworkPolicyIngressRule)."""
        if self.source.endpoint is None or self.source.pod is not None or self.destination.pod is None:
            return False
        return bool(self.source.node_name) and self.source.node_name == self.destination.node_name
