"""Which pods a workload asks for, named, labelled and owned as the controllers of Kubernetes do it. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from conntrail.lab.cluster import Controller, Node, Object
from conntrail.lab.identity import letters, uid_of
from conntrail.lab.workload import (
    Names,
    controller_of,
    has_ended,
    is_made_by_another,
    is_run_by_traffic,
    job_spec,
    owners_from,
    pod_template,
)

_LONGEST_BASE: Final = 58
"""Of a generated name before its five letters (apiserver, storage/names)."""
_HASH_LETTERS: Final = 9
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pod that is to be placed."""

    title: str
    """What asks for it."""
    namespace: str
    name: str
    owners: tuple[Controller, ...]
    labels: Labels
    annotations: Labels
    spec: Mapping[str, Any]
    node: str = ""
    """Where it must be; empty, or unknown: anywhere."""


def pods_of(value: Object, given: Names, nodes: Sequence[Node]) -> Iterator[Wanted]:
    """Pods that stay while the lab does; those of jobs that call somebody come and go with traffic."""
    if value["kind"] in _PODS and not is_made_by_another(value, given) and not has_ended(value):
        yield from _PODS[value["kind"]](value, nodes)


def is_selected(node: Node, spec: Mapping[str, Any]) -> bool:
    """Whether a pod's nodeSelector means a node."""
    return all(node.labels.get(key) == value for key, value in spec.get("nodeSelector", {}).items())


def wanted_of_job(value: Object, number: int, seeds: Iterable[str]) -> Iterator[Wanted]:
    """Pods of a Job, or of the Job with this number that a CronJob makes."""
    owners = owners_from(value)
    if value["kind"] == "CronJob":
        owners = (Controller("Job", f"{owners[0].name}-{number}", "batch/v1"), *owners)
    job = owners[0].name
    uid = uid_of("Job", value["metadata"]["namespace"], job)
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": job,
        "controller-uid": uid,
        "job-name": job,
    }
    for name in _generated(f"{job}-", seeds):
        yield _wanted(value, name, owners, labels)


def _generated(base: str, seeds: Iterable[str]) -> Iterator[str]:
    """Names as the API server generates them from a base; one that is taken is drawn again."""
    taken: set[str] = set()
    for seed in seeds:
        text = base + seed
        while (name := f"{base[:_LONGEST_BASE]}{letters(text, 5)}") in taken:
            text += "'"
        taken.add(name)
        yield name


def _wanted(value: Object, name: str, owners: tuple[Controller, ...], labels: Labels, node: str = "") -> Wanted:
    metadata, template = value["metadata"], pod_template(value)
    return Wanted(
        title=f"{value['kind']} {metadata['namespace']}/{metadata['name']}",
        namespace=metadata["namespace"],
        name=name,
        owners=owners,
        labels={**template["metadata"].get("labels", {}), **labels},
        annotations=template["metadata"].get("annotations", {}),
        spec=template["spec"],
        node=node or template["spec"].get("nodeName", ""),
    )


def _replicas(value: Object) -> Iterator[str]:
    return (str(number) for number in range(value["spec"].get("replicas", 1)))


def _of_deployment(value: Object, _nodes: Sequence[Node]) -> Iterator[Wanted]:
    name = value["metadata"]["name"]
    hashed = letters(name, _HASH_LETTERS)
    owners = (Controller("ReplicaSet", f"{name}-{hashed}", "apps/v1"), *owners_from(value))
    for pod in _generated(f"{name}-{hashed}-", _replicas(value)):
        yield _wanted(value, pod, owners, {"pod-template-hash": hashed})


def _of_replica_set(value: Object, _nodes: Sequence[Node]) -> Iterator[Wanted]:
    for pod in _generated(f"{value['metadata']['name']}-", _replicas(value)):
        yield _wanted(value, pod, owners_from(value), {})


def _of_stateful_set(value: Object, _nodes: Sequence[Node]) -> Iterator[Wanted]:
    name, first = value["metadata"]["name"], value["spec"].get("ordinals", {}).get("start", 0)
    for ordinal in range(first, first + value["spec"].get("replicas", 1)):
        labels = {
            "statefulset.kubernetes.io/pod-name": f"{name}-{ordinal}",
            "apps.kubernetes.io/pod-index": str(ordinal),
            "controller-revision-hash": f"{name}-{letters(name, _HASH_LETTERS)}",
        }
        yield _wanted(value, f"{name}-{ordinal}", owners_from(value), labels)


def _of_daemon_set(value: Object, nodes: Sequence[Node]) -> Iterator[Wanted]:
    name = value["metadata"]["name"]
    labels = {"controller-revision-hash": letters(name, _HASH_LETTERS), "pod-template-generation": "1"}
    selected = [node for node in nodes if is_selected(node, pod_template(value)["spec"])]
    for node, pod in zip(selected, _generated(f"{name}-", (node.name for node in selected)), strict=True):
        yield _wanted(value, pod, owners_from(value), labels, node.name)


def _of_job(value: Object, _nodes: Sequence[Node]) -> Iterator[Wanted]:
    if not is_run_by_traffic(value):
        parallel, most = job_spec(value).get("parallelism", 1), job_spec(value).get("completions")
        count = parallel if most is None else min(parallel, most)
        yield from wanted_of_job(value, 1, (str(number) for number in range(count)))


def _of_pod(value: Object, _nodes: Sequence[Node]) -> Iterator[Wanted]:
    controller = controller_of(value)
    yield _wanted(value, value["metadata"]["name"], (controller,) if controller else (), {})


_PODS: Final[dict[str, Callable[[Object, Sequence[Node]], Iterator[Wanted]]]] = {
    "Deployment": _of_deployment,
    "ReplicaSet": _of_replica_set,
    "ReplicationController": _of_replica_set,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
    "Job": _of_job,
    "CronJob": _of_job,
    "Pod": _of_pod,
}
