"""What each pod's client is told to do, from the annotations of its manifest."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from conntrail.errors import CommandError
from conntrail.lab.cluster import CALL, Cluster, Pod
from conntrail.lab.program.task import Order, Task

SHORT_CALL: Final = {"kind": "tcp", "to": "postgres.data", "port": 5432, "every": 1, "bytes": 900}
"""What a pod calls that lives for a moment; skipped where there is no such service."""
_OPTIONAL: Final = ("bytes", "expect", "by", "direction")
_Target = tuple[str, str, tuple[str, ...]]


def orders(cluster: Cluster, truth: Path, seconds: float, rate: float) -> Iterator[tuple[Pod, Order]]:
    """For each pod that calls. ``rate``: connections a second over all pods, 0 as the manifests say.

    Raises CommandError.
    """
    calling = [(pod, pod_tasks(cluster, pod)) for pod in cluster.pods if pod.annotations.get(CALL)]
    natural = sum(1 / task.every for _, tasks in calling for task in tasks if task.kind != "keep")
    slower = natural / rate if rate > 0 else 1.0
    for pod, tasks in calling:
        paced = tuple(replace(task, every=task.every * slower) for task in tasks)
        yield pod, order_for(pod, truth, seconds, paced)


def pod_tasks(cluster: Cluster, pod: Pod) -> tuple[Task, ...]:
    """Of a pod's annotation. Raises CommandError."""
    try:
        calls = json.loads(pod.annotations[CALL])
        return tuple(task_of(cluster, call) for call in calls)
    except (ValueError, TypeError, KeyError) as error:
        raise CommandError(
            f"{pod.namespace}/{pod.workload[1]}: annotation {CALL} is not understood: {error}"
        ) from error


def order_for(pod: Pod, truth: Path, seconds: float, tasks: tuple[Task, ...]) -> Order:
    """Everything that a pod's client needs to know."""
    return Order(
        namespace=pod.namespace,
        pod=pod.name,
        uid=pod.uid,
        workload=pod.workload[1],
        address=pod.addresses[0],
        address6=pod.addresses[1],
        seconds=seconds,
        truth=str(truth),
        tasks=tasks,
    )


def task_of(cluster: Cluster, call: Mapping[str, Any]) -> Task:
    """A call with its target's address looked up. Raises CommandError, KeyError for a field that is missing."""
    version = 1 if str(call["kind"]).endswith("6") else 0
    address, service, servers = _target(cluster, str(call["to"]), int(call["port"]), version)
    return Task(
        kind=call["kind"],
        address=address,
        port=call["port"],
        every=call["every"],
        service=service,
        servers=servers,
        **{key: call[key] for key in _OPTIONAL if key in call},
    )


def _target(cluster: Cluster, target: str, port: int, version: int) -> _Target:
    if target.startswith("pod/"):
        _, namespace, workload = target.split("/")
        pods = [p for p in cluster.pods if (p.namespace, p.workload[1]) == (namespace, workload)]
        if not pods:
            raise CommandError(f"no pod of {namespace}/{workload} is there to call")
        return pods[0].addresses[version], "", (f"{namespace}/{pods[0].name}",)
    if target[0].isdigit() or ":" in target:
        return target, "", ()
    name, _, namespace = target.partition(".")
    for service in cluster.services:
        if (service.namespace, service.name) == (namespace, name):
            ports = [p for p in service.ports if p["port"] == port]
            servers = tuple(f"{pod.namespace}/{pod.name}" for p in ports for pod in cluster.endpoints(service, p))
            return service.addresses[version], f"{namespace}/{name}", servers
    raise CommandError(f"no service {namespace}/{name} is there to call")
