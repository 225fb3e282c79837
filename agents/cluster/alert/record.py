"""Alerts as Kubernetes Events (core v1) on the workloads that they touch, where ``kubectl describe`` shows them.

An Event's name follows from what it tells, so whatever is told twice is refused by the API server as being there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from agents.cluster.inventory import Inventory
from agents.cluster.record.kind import KINDS
from agents.cluster.record.slim import Record, key_of

_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "ReplicaSet", "Pod")
_API_VERSIONS: Final = {kind.name: kind.api_version for kind in KINDS if kind.name in _WORKLOADS}
_MAXIMUM_WORKLOADS: Final = 4
"""A whole namespace that is cut is told on a few of its workloads only."""
_MESSAGE_LETTERS: Final = 1_000
"""The API server takes 1,024."""
_DIGEST_LETTERS: Final = 24
_COMPONENT: Final = "conntrail"
_NS_PER_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One Event to make."""

    namespace: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        """Unique for what it tells."""
        return str(self.body["metadata"]["name"])


def alert_events(inventory: Inventory, alert: Mapping[str, Any], now_ns: int) -> list[AlertEvent]:
    """What to make of an alert: that it is open, or that it is over; none while a silence holds it back.

    Only of workloads that are there: others have no object that an Event could be about.
    """
    if (alert["silenced_until_ns"] or 0) > now_ns:
        return []
    found = [_workload(inventory, name) for name in alert["workloads"]]
    return [_event(alert, record) for record in found if record is not None][:_MAXIMUM_WORKLOADS]


def _workload(inventory: Inventory, title: str) -> Record | None:
    namespace, _, name = title.partition("/")
    for kind in _WORKLOADS:
        record = inventory.record(key_of(kind, namespace, name))
        if record is not None and record["deleted_at_ns"] is None:
            return record
    return None


def _event(alert: Mapping[str, Any], workload: Record) -> AlertEvent:
    is_over = alert["status"] == "resolved"
    at = _moment(alert["resolved_at_ns"] or alert["updated_at_ns"] if is_over else alert["started_at_ns"])
    reason = " ".join(part for part in (alert["message"], f"({alert['reason']})" if alert["reason"] else "") if part)
    text = f"{'resolved: ' if is_over else ''}{reason} [{alert['id']}]"
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": _name(alert, workload, is_over=is_over), "namespace": workload["namespace"]},
        "involvedObject": {
            "apiVersion": _API_VERSIONS[workload["kind"]],
            "kind": workload["kind"],
            "namespace": workload["namespace"],
            "name": workload["name"],
            "uid": workload["uid"],
        },
        "type": "Normal" if is_over else "Warning",
        "reason": "NetworkAlertResolved" if is_over else "NetworkAlert",
        "message": text[:_MESSAGE_LETTERS],
        "source": {"component": _COMPONENT},
        "reportingComponent": _COMPONENT,
        "reportingInstance": _COMPONENT,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    return AlertEvent(workload["namespace"], body)


def _name(alert: Mapping[str, Any], workload: Record, *, is_over: bool) -> str:
    told = "\0".join((alert["id"], str(alert["started_at_ns"]), workload["uid"], str(is_over)))
    return f"conntrail-{sha256(told.encode()).hexdigest()[:_DIGEST_LETTERS]}"


def _moment(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // _NS_PER_SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
