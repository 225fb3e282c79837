"""The cluster as it is now: what policies judge by, and what tells whether a destination can answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from streams.metadata.endpoint import Endpoint
from streams.policy.network import Address, parse_address
from streams.policy.object import PolicyObject
from streams.policy.policy_set import PolicySet

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that has not ended, with its namespace's labels and the addresses that it holds now."""

    endpoint: Endpoint
    is_ready: bool
    phase: str

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.endpoint.namespace}/{self.endpoint.name}"

    @property
    def workload(self) -> tuple[str, str, str]:
        """Namespace, kind and name of the top of the owner chain."""
        return workload_of(self.endpoint)


@dataclass(frozen=True, slots=True)
class Node:
    """A node."""

    endpoint: Endpoint
    is_ready: bool


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service, and where it leads."""

    name: str
    protocol: str
    port: int
    target: str
    """Number, or name of the pod's port; empty means the same number."""
    node_port: int


@dataclass(frozen=True, slots=True)
class Backend:
    """One endpoint behind a Service."""

    addresses: tuple[str, ...]
    pod: str
    """``namespace/name``; empty when it is no pod."""
    is_ready: bool


@dataclass(frozen=True, slots=True)
class Service:
    """A Service with what is behind it now."""

    namespace: str
    name: str
    kind: str
    """ClusterIP, NodePort, LoadBalancer or ExternalName."""
    addresses: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    selector: Mapping[str, str]
    backends: tuple[Backend, ...]
    is_guessed: bool = False
    """No EndpointSlice tells of its backends: they are the pods that its selector finds."""

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Snapshot:
    """Build it by ``conntrail.policy.cluster.build``. All mappings are sorted by key."""

    pods: Mapping[str, Pod]
    """By ``namespace/name``."""
    nodes: Mapping[str, Node]
    """By name."""
    namespaces: Mapping[str, Mapping[str, str]]
    """Labels by name."""
    services: Mapping[str, Service]
    """By ``namespace/name``."""
    policies: PolicySet
    objects: tuple[PolicyObject, ...]
    """What ``policies`` was made of, so that a changed set can be made of it."""
    observed_at_ns: int = 0
    """The latest that is known of the cluster, Unix time in ns; 0 for an empty one."""
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def by_address(self) -> Mapping[Address, Endpoint]:
        """Whoever holds an address now; pods on the node's network leave it to the node."""
        held: dict[Address, Endpoint] = {}
        for endpoint in (
            *(node.endpoint for node in self.nodes.values()),
            *(pod.endpoint for pod in self.pods.values() if not pod.endpoint.host_network),
        ):
            held |= dict.fromkeys(addresses_of(endpoint), endpoint)
        return held

    @cached_property
    def workloads(self) -> Mapping[tuple[str, str, str], tuple[Pod, ...]]:
        """Pods by namespace, kind and name of their workload."""
        grouped: dict[tuple[str, str, str], list[Pod]] = {}
        for pod in self.pods.values():
            grouped.setdefault(pod.workload, []).append(pod)
        return {key: tuple(pods) for key, pods in sorted(grouped.items())}


def workload_of(endpoint: Endpoint) -> tuple[str, str, str]:
    """Namespace, kind and name, as documents have them (streams.enrich.identity)."""
    if endpoint.kind == "node":
        return ("", "Node", endpoint.name)
    return (endpoint.namespace, endpoint.workload_kind or "Pod", endpoint.workload_name or endpoint.name)


def addresses_of(endpoint: Endpoint) -> tuple[Address, ...]:
    """Its addresses as numbers."""
    return tuple(address for text in endpoint.addresses if (address := parse_address(text)) is not None)


def living(records: Iterable[Record]) -> list[Record]:
    """Those that were not deleted."""
    return [record for record in records if record["deleted_at_ns"] is None]
