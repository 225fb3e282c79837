"""What exists in the lab: nodes, pods and services with their addresses.

Pure. Addresses follow from numbers: a node's from its place in the manifests, a pod's from its slot on its node.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conntrail.lab.identity import uid_of
from conntrail.lab.kind import qualified_kind
from conntrail.lab.selector import matches

Object = dict[str, Any]
SERVE: Final = "conntrail.io/lab-serve"
CALL: Final = "conntrail.io/lab-call"
EVERY: Final = "conntrail.io/lab-every"
SLOTS: Final = range(10, 250)
"""Of each node, one a pod."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node: its number gives its addresses."""

    name: str
    number: int
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def addresses(self) -> tuple[str, str]:
        """On the network between the nodes, IPv4 and IPv6."""
        return f"172.30.0.{self.number}", f"fd30::{self.number}"

    @property
    def pod_networks(self) -> tuple[str, str]:
        """Of its pods, IPv4 and IPv6."""
        return f"10.244.{self.number}.0/24", f"fd00:244:{self.number}::/64"


@dataclass(frozen=True, slots=True)
class Controller:
    """What made a pod, or what made that."""

    kind: str
    name: str
    api_version: str


@dataclass(frozen=True, slots=True)
class PodStatus:
    """What a kubelet would tell of a pod."""

    restarts: int = 0
    """Of its containers."""
    is_ready: bool = True
    """Else no Service leads to it."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod on a node. ``slot`` gives its addresses and its interface on the node; unused on the host's network."""

    namespace: str
    name: str
    node: Node
    slot: int
    created_at: str
    owners: tuple[Controller, ...]
    """From the direct controller to the top; empty for a pod of its own."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]
    status: PodStatus = PodStatus()

    @property
    def title(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"

    @property
    def uid(self) -> str:
        """Differs for a pod of the same name that was made at another time."""
        return uid_of("Pod", self.namespace, self.name + self.created_at)

    @property
    def workload(self) -> tuple[str, str]:
        """Kind and name of the top of the owner chain."""
        return (self.owners[-1].kind, self.owners[-1].name) if self.owners else ("Pod", self.name)

    @property
    def is_on_host_network(self) -> bool:
        """It shares its node's network and has no addresses of its own; policies do not reach it."""
        return bool(self.spec.get("hostNetwork"))

    @property
    def addresses(self) -> tuple[str, str]:
        """IPv4 and IPv6."""
        if self.is_on_host_network:
            return self.node.addresses
        return f"10.244.{self.node.number}.{self.slot}", f"fd00:244:{self.node.number}::{self.slot}"

    @property
    def network_namespace(self) -> str:
        """Name of its network namespace."""
        return self.node.name if self.is_on_host_network else f"{self.namespace}.{self.name}"

    @property
    def interface(self) -> str:
        """Name of its interface on the node."""
        return f"pod{self.slot}"

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """Those that run while the pod does: also init containers that are always started again (sidecars)."""
        sidecars = [item for item in self.spec.get("initContainers", ()) if item.get("restartPolicy") == "Always"]
        return [*sidecars, *self.spec.get("containers", ())]

    def port_named(self, name: object, protocol: str) -> int | None:
        """Number of a port by name or number; None when no container has that name for that protocol."""
        if isinstance(name, int):
            return name
        for container in self.containers:
            for port in container.get("ports", ()):
                if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                    return int(port["containerPort"])
        return None


@dataclass(frozen=True, slots=True)
class Service:
    """A service; it has an address of its own unless it is headless or only another name."""

    namespace: str
    name: str
    number: int
    spec: Mapping[str, Any]

    @property
    def addresses(self) -> tuple[str, ...]:
        """IPv4 and IPv6, or none."""
        if self.spec.get("clusterIP") == "None" or self.spec.get("type") == "ExternalName":
            return ()
        return f"10.96.{self.number >> 8}.{self.number & 255}", f"fd00:96::{self.number}"

    @property
    def ports(self) -> list[Mapping[str, Any]]:
        """As the manifest has them."""
        return list(self.spec.get("ports", ()))


@dataclass(slots=True)
class Cluster:
    """Everything that exists in the lab."""

    given: list[Object]
    """Objects as the manifests have them, and as they were changed since."""
    created_at: str
    nodes: list[Node] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Object]:
        """Objects of the manifests; a kind whose name two groups have is named with its group."""
        return [value for value in self.given if qualified_kind(value["apiVersion"], value["kind"]) == kind]

    @property
    def namespaces(self) -> list[str]:
        """Names, the declared ones first, then those that are only mentioned."""
        declared = [value["metadata"]["name"] for value in self.of_kind("Namespace")]
        mentioned = [value["metadata"]["namespace"] for value in self.given if "namespace" in value["metadata"]]
        return list(dict.fromkeys([*declared, *mentioned]))

    def namespace_labels(self, name: str) -> dict[str, str]:
        """With the label that every namespace has."""
        for value in self.of_kind("Namespace"):
            if value["metadata"]["name"] == name:
                return {**value["metadata"].get("labels", {}), "kubernetes.io/metadata.name": name}
        return {"kubernetes.io/metadata.name": name}

    def endpoints(self, service: Service, port: Mapping[str, Any]) -> list[tuple[Pod, int]]:
        """Pods that a port of a service selects, and to which of their ports; one that lacks the port is none."""
        if not (selector := service.spec.get("selector")):
            return []
        wanted, target, protocol = {"matchLabels": selector}, port.get("targetPort"), port.get("protocol", "TCP")
        selected = [p for p in self.pods if p.namespace == service.namespace and matches(wanted, p.labels)]
        numbers = [(pod, pod.port_named(port["port"] if target is None else target, protocol)) for pod in selected]
        return [(pod, number) for pod, number in numbers if number is not None]

    def ready_endpoints(self, service: Service, port: Mapping[str, Any]) -> list[tuple[Pod, int]]:
        """Those that a port of a service leads to now."""
        return [(pod, number) for pod, number in self.endpoints(service, port) if pod.status.is_ready]

    def free_slot(self, node: Node) -> int | None:
        """The lowest one that no pod has: an address is handed out again as soon as it is free. None: it is full."""
        taken = {pod.slot for pod in self.pods if pod.node == node and not pod.is_on_host_network}
        return next((slot for slot in SLOTS if slot not in taken), None)
