"""Which workloads an object touches: what events, audit and changes are filtered by.

A pod, a replica set, a job belong to one; a Service, its endpoints and a policy touch those of the pods that they
select now. Pure: asks the inventory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agents.cluster.inventory import Inventory
from agents.cluster.record.selector import selects
from agents.cluster.record.slim import Record, key_of
from agents.cluster.subject import pods_selected

_MAXIMUM_WORKLOADS: Final = 64
_OWNABLE: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job"})
_MADE: Final = frozenset({"ReplicaSet", "Job"})
"""Whose name says nothing as long as their owner is not known."""
_SERVICE_LIKE: Final = frozenset({"Service", "Endpoints"})


@dataclass(frozen=True, slots=True)
class Touched:
    """Workloads and Service of an object."""

    kind: str = ""
    """Kind of the workload when it is exactly one."""
    name: str = ""
    service_name: str = ""
    workloads: tuple[str, ...] = ()
    """Each as namespace/name."""


NOTHING: Final = Touched()


def touched(inventory: Inventory, title: str, namespace: str, name: str) -> Touched:
    """What an object touches; ``title`` is that of its kind, or any word for a kind that is not followed."""
    record = inventory.record(key_of(title, namespace, name))
    if title in _OWNABLE and (record is not None or title not in _MADE):
        return _one(namespace, inventory.workload(title, namespace, name))
    if title == "Pod":
        return NOTHING if record is None else _one(namespace, record["workload"])
    if title in _SERVICE_LIKE:
        service = inventory.record(key_of("Service", namespace, name))
        pods = () if service is None or not service["selector"] else _selected(inventory, service, service["selector"])
        return _of_pods(pods, name)
    if record is None:
        return NOTHING
    if title == "EndpointSlice":
        return _of_pods(_behind(inventory, record), record["service_name"])
    return _of_pods(pods_selected(inventory, title, record), "")


def touched_fields(what: Touched) -> Record:
    """As records name it."""
    return {
        "workload_kind": what.kind,
        "workload_name": what.name,
        "service_name": what.service_name,
        "workloads": list(what.workloads),
    }


def _one(namespace: str, workload: Mapping[str, Any] | None) -> Touched:
    if not workload:
        return NOTHING
    return Touched(workload["kind"], workload["name"], "", (f"{namespace}/{workload['name']}",))


def _of_pods(pods: Iterable[Record], service_name: str) -> Touched:
    found = {(pod["namespace"], pod["workload"]["kind"], pod["workload"]["name"]) for pod in pods if pod["workload"]}
    _, kind, name = next(iter(found)) if len(found) == 1 else ("", "", "")
    named = sorted({f"{namespace}/{workload}" for namespace, _, workload in found})
    return Touched(kind, name, service_name, tuple(named[:_MAXIMUM_WORKLOADS]))


def _behind(inventory: Inventory, record: Record) -> list[Record]:
    keys = [key_of("Pod", record["namespace"], one["pod_name"]) for one in record["endpoints"] if one["pod_name"]]
    return [pod for pod in map(inventory.record, keys) if pod is not None]


def _selected(inventory: Inventory, record: Record, labels: Mapping[str, str]) -> list[Record]:
    pods = inventory.pods(record["namespace"])
    return [pod for pod in pods if selects({"matchLabels": labels}, pod["labels"])]
