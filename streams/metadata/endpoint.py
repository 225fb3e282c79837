"""What Kubernetes says of one end of a flow: the identity that policies are judged by and documents are named with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """A port that a pod's container names."""

    name: str
    protocol: str
    """TCP, UDP or SCTP."""
    port: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod or a node while one state of it holds. What has no Endpoint is outside the cluster or not yet known."""

    kind: Literal["pod", "node"]
    name: str
    uid: str
    namespace: str = ""
    """Empty for a node."""
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    workload_kind: str = ""
    workload_name: str = ""
    node_name: str = ""
    service_account: str = ""
    host_network: bool = False
    addresses: tuple[str, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    services: tuple[str, ...] = ()
    """Names of the Services (same namespace) whose endpoints include this pod, sorted."""

    def means_the_same(self, other: "Endpoint") -> bool:
        """Whether two states differ in nothing that a policy asks for or a flow is named by, but Services."""
        return replace(self, services=other.services, addresses=other.addresses) == other
