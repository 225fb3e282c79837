"""The lab's control plane: from manifests to pods with names, nodes and addresses, as the API server would show them.

Pure. Names and UIDs are derived from what is named, so that two labs from the same manifests are alike.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conntrail.lab.selector import matches

Object = dict[str, Any]
SERVE: Final = "conntrail.io/lab-serve"
CALL: Final = "conntrail.io/lab-call"
_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Node:
    """A node: its number gives its addresses."""

    name: str
    number: int

    @property
    def addresses(self) -> tuple[str, str]:
        """On the network between the nodes, IPv4 and IPv6."""
        return f"172.30.0.{self.number}", f"fd30::{self.number}"

    @property
    def pod_networks(self) -> tuple[str, str]:
        """Of its pods, IPv4 and IPv6."""
        return f"10.244.{self.number}.0/24", f"fd00:244:{self.number}::/64"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod on a node. ``slot`` gives its addresses and its interface on the node."""

    namespace: str
    name: str
    node: Node
    slot: int
    created_at: str
    workload: tuple[str, str]
    owner: tuple[str, str] | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    ports: tuple[Mapping[str, Any], ...] = ()

    @property
    def uid(self) -> str:
        """Differs for a pod of the same name that was made at another time."""
        return uid_of("Pod", self.namespace, self.name + self.created_at)

    @property
    def addresses(self) -> tuple[str, str]:
        """IPv4 and IPv6."""
        return f"10.244.{self.node.number}.{self.slot}", f"fd00:244:{self.node.number}::{self.slot}"

    @property
    def network_namespace(self) -> str:
        """Name of its network namespace."""
        return f"{self.namespace}.{self.name}"

    @property
    def interface(self) -> str:
        """Name of its interface on the node."""
        return f"pod{self.slot}"

    def port_named(self, name: object, protocol: str) -> int | None:
        """Number of a port by name or number; None when no container has that name."""
        if isinstance(name, int):
            return name
        for port in self.ports:
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
        return None


@dataclass(frozen=True, slots=True)
class Service:
    """A ClusterIP service."""

    namespace: str
    name: str
    number: int
    selector: Mapping[str, str]
    ports: tuple[Mapping[str, Any], ...]

    @property
    def addresses(self) -> tuple[str, str]:
        """IPv4 and IPv6."""
        return f"10.96.0.{self.number}", f"fd00:96::{self.number}"


@dataclass(slots=True)
class Cluster:
    """Everything that exists in the lab."""

    given: list[Object] = field(default_factory=list)
    """Objects as the manifests have them."""
    nodes: list[Node] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    created_at: str = ""

    def of_kind(self, kind: str) -> list[Object]:
        """Objects of the manifests."""
        return [value for value in self.given if value.get("kind") == kind]

    def namespace_labels(self, name: str) -> dict[str, str]:
        """With the label that every namespace has."""
        for value in self.of_kind("Namespace"):
            if value["metadata"]["name"] == name:
                return {**value["metadata"].get("labels", {}), "kubernetes.io/metadata.name": name}
        return {"kubernetes.io/metadata.name": name}

    def endpoints(self, service: Service, port: Mapping[str, Any]) -> list[Pod]:
        """Pods that a port of a service leads to; one that does not name the port is none."""
        wanted, target = {"matchLabels": dict(service.selector)}, port.get("targetPort", port["port"])
        selected = [p for p in self.pods if p.namespace == service.namespace and matches(wanted, p.labels)]
        return [pod for pod in selected if pod.port_named(target, port.get("protocol", "TCP")) is not None]

    def free_slot(self, node: Node) -> int:
        """The lowest one that no pod has: an address is handed out again as soon as it is free."""
        taken = {pod.slot for pod in self.pods if pod.node == node}
        return next(slot for slot in range(10, 250) if slot not in taken)


def build_cluster(objects: Iterable[Object], created_at: str) -> Cluster:
    """Place pods on nodes in turn. ``created_at``: RFC 3339."""
    cluster = Cluster(list(objects), created_at=created_at)
    for number, value in enumerate(cluster.of_kind("Node"), 1):
        cluster.nodes.append(Node(value["metadata"]["name"], number))
    for number, value in enumerate(cluster.of_kind("Service"), 10):
        metadata, spec = value["metadata"], value["spec"]
        ports = tuple(spec.get("ports", ()))
        cluster.services.append(
            Service(metadata["namespace"], metadata["name"], number, spec.get("selector", {}), ports)
        )
    turn = 0
    for value in cluster.of_kind("Deployment"):
        for replica in range(value["spec"].get("replicas", 1)):
            cluster.pods.append(deployment_pod(cluster, value, replica, cluster.nodes[turn % len(cluster.nodes)]))
            turn += 1
    for value in cluster.of_kind("Pod"):
        node = cluster.nodes[turn % len(cluster.nodes)]
        cluster.pods.append(plain_pod(cluster, value, node))
        turn += 1
    return cluster


def deployment_pod(cluster: Cluster, deployment: Object, replica: int, node: Node) -> Pod:
    """A pod as the ReplicaSet of a Deployment would make it."""
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    replica_set = f"{metadata['name']}-{letters(metadata['name'], 9)}"
    return Pod(
        namespace=metadata["namespace"],
        name=f"{replica_set}-{letters(f'{replica_set}{replica}', 5)}",
        node=node,
        slot=cluster.free_slot(node),
        created_at=cluster.created_at,
        workload=("Deployment", metadata["name"]),
        owner=("ReplicaSet", replica_set),
        labels={**template["metadata"].get("labels", {}), "pod-template-hash": letters(metadata["name"], 9)},
        annotations=template["metadata"].get("annotations", {}),
        ports=_ports(template["spec"]),
    )


def plain_pod(cluster: Cluster, value: Object, node: Node) -> Pod:
    """A pod of its own."""
    metadata = value["metadata"]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        node=node,
        slot=cluster.free_slot(node),
        created_at=cluster.created_at,
        workload=("Pod", metadata["name"]),
        owner=None,
        labels=metadata.get("labels", {}),
        annotations=metadata.get("annotations", {}),
        ports=_ports(value["spec"]),
    )


def job_pod(cluster: Cluster, job: str, number: int, created_at: str, node: Node) -> Pod:
    """A pod of a Job that lives for a moment."""
    return Pod(
        namespace="shop",
        name=f"{job}-{letters(f'{job}{number}{created_at}', 5)}",
        node=node,
        slot=cluster.free_slot(node),
        created_at=created_at,
        workload=("Job", job),
        owner=("Job", job),
        labels={"app": "frontend", "job-name": job},
        annotations={},
    )


def uid_of(kind: str, namespace: str, name: str) -> str:
    """A UID that is the same for the same name."""
    digest = hashlib.sha256(f"{kind}/{namespace}/{name}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def letters(text: str, count: int) -> str:
    """Letters as generated names have them."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:count])


def _ports(spec: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple(port for container in spec.get("containers", ()) for port in container.get("ports", ()))
