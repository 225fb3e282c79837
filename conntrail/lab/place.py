"""The lab's scheduler: puts the pods that workloads ask for on nodes, and gives services their numbers.

Pure. From the same manifests come the same names on the same nodes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from conntrail.errors import CommandError
from conntrail.lab.cluster import SLOTS, Cluster, Node, Object, Pod, PodStatus, Service
from conntrail.lab.controller import Wanted, is_selected, pods_of
from conntrail.lab.job import Run, run_pod
from conntrail.lab.workload import names_of

_DEFAULT_NODES: Final = ("node1", "node2")
_MOST_NODES: Final = 200
"""A node's number is an octet of its pods' addresses, and 254 is the gateway's."""
_FIRST_SERVICE: Final = 10
_MOST_SERVICES: Final = 9000
"""A service's number, in decimal, is the last group of its IPv6 address."""
_MOST_NAME_BYTES: Final = 255
"""Of a file name (NAME_MAX, linux/limits.h), as which ip-netns(8) keeps a namespace."""


def build_cluster(
    objects: Sequence[Object],
    created_at: str,
    runs: Sequence[Run] = (),
    statuses: Mapping[str, PodStatus] = MappingProxyType({}),
) -> Cluster:
    """Place pods, each on the node with the fewest. ``created_at``: RFC 3339. ``statuses``: of pods by title.

    Raises CommandError when there are more than addresses, or names collide.
    """
    cluster = Cluster(list(objects), created_at)
    cluster.nodes = _nodes(cluster)
    cluster.services = _services(cluster)
    scheduler = _Scheduler(cluster)
    names = names_of(objects)
    for value in objects:
        for wanted in pods_of(value, names, cluster.nodes):
            scheduler.place(wanted)
    cluster.pods = [replace(pod, status=statuses.get(pod.title, pod.status)) for pod in cluster.pods]
    cluster.pods += [run_pod(cluster, run) for run in runs]
    return cluster


class _Scheduler:
    """Counts instead of looking, so that a replica number of a million ends at the last address."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._named = {node.name: node for node in cluster.nodes}
        self._pods = Counter({node.number: 0 for node in cluster.nodes})
        self._slots: Counter[int] = Counter()
        self._names: set[str] = set(self._named)

    def place(self, wanted: Wanted) -> None:
        node = self._named.get(wanted.node) or self._emptiest(wanted)
        slot = 0 if wanted.spec.get("hostNetwork") else self._slot(node, wanted)
        pod = Pod(
            wanted.namespace,
            wanted.name,
            node,
            slot,
            self._cluster.created_at,
            wanted.owners,
            wanted.labels,
            wanted.annotations,
            wanted.spec,
        )
        self._check_name(pod)
        self._pods[node.number] += 1
        self._cluster.pods.append(pod)

    def _emptiest(self, wanted: Wanted) -> Node:
        """Of those that its nodeSelector means; of all when none has such labels, where Kubernetes would wait."""
        nodes = [node for node in self._cluster.nodes if is_selected(node, wanted.spec)] or self._cluster.nodes
        with_room = [node for node in nodes if self._slots[node.number] < len(SLOTS)]
        return min(with_room or nodes, key=lambda node: (self._pods[node.number], node.number))

    def _slot(self, node: Node, wanted: Wanted) -> int:
        if self._slots[node.number] == len(SLOTS):
            raise CommandError(
                f"{wanted.title}: no address is left for its pods: a node holds {len(SLOTS)}, "
                f"and the manifests have {len(self._cluster.nodes)} of them; lower the replicas or add a Node"
            )
        self._slots[node.number] += 1
        return SLOTS[self._slots[node.number] - 1]

    def _check_name(self, pod: Pod) -> None:
        name = f"{pod.namespace}.{pod.name}"
        if len(name) > _MOST_NAME_BYTES:
            raise CommandError(f"{name[:60]}…: {len(name)} characters, too long for the name of a network namespace")
        if name in self._names:
            raise CommandError(f"two pods or nodes would be called {name}: rename one")
        self._names.add(name)


def _nodes(cluster: Cluster) -> list[Node]:
    given = {value["metadata"]["name"]: value["metadata"].get("labels", {}) for value in cluster.of_kind("Node")}
    if len(given) > _MOST_NODES:
        raise CommandError(f"the lab holds at most {_MOST_NODES} nodes, the manifests have {len(given)}")
    labels = given or {name: {} for name in _DEFAULT_NODES}
    return [
        Node(name, number, {**labels[name], "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"})
        for number, name in enumerate(labels, 1)
    ]


def _services(cluster: Cluster) -> list[Service]:
    values = cluster.of_kind("Service")
    if len(values) > _MOST_SERVICES:
        raise CommandError(f"the lab holds at most {_MOST_SERVICES} services, the manifests have {len(values)}")
    return [
        Service(value["metadata"]["namespace"], value["metadata"]["name"], number, value["spec"])
        for number, value in enumerate(values, _FIRST_SERVICE)
    ]
