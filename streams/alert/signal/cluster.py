"""Records of changes, k8s.events and captures.status as signals (schemas/avro/change.avsc and others)."""

from collections.abc import Mapping
from typing import Any, Final

from streams.alert.signal.signal import CaptureSignal, ChangeSignal, EventSignal, NodeSignal, Place

Record = Mapping[str, Any]
_OURSELVES: Final = "conntrail"
"""Component that agents/cluster/alert makes events as."""


def change_signals(record: Record, place: Place | None) -> list[ChangeSignal]:
    """Of a Change."""
    service = record["service_name"]
    return [
        ChangeSignal(
            place=place,
            at_ns=record["at_ns"],
            id=record["id"],
            kind=record["kind"],
            namespace=record["namespace"],
            name=record["name"],
            action=record["action"],
            summary=record["summary"],
            by=record["by"],
            by_at_ns=record["by_at_ns"],
            service=f"{record['namespace']}/{service}" if service else "",
            workloads=tuple(record["workloads"]),
        )
    ]


def event_signals(record: Record, place: Place | None) -> list[EventSignal]:
    """Of a KubernetesEvent; those that alerts were told by are nobody's news."""
    if record["component"] == _OURSELVES:
        return []
    return [
        EventSignal(
            place=place,
            at_ns=record["last_seen_at_ns"],
            id=record["uid"],
            kind=record["kind"],
            namespace=record["namespace"],
            name=record["name"],
            type=record["type"],
            reason=record["reason"],
            message=record["message"],
            count=max(1, record["count"]),
            workloads=tuple(record["workloads"]),
            node=record["node_name"],
        )
    ]


def node_signals(record: Record, place: Place | None) -> list[NodeSignal]:
    """Of a NodeStatus."""
    return [
        NodeSignal(
            place=place,
            start_ns=record["interval_start_ns"],
            end_ns=record["interval_end_ns"],
            node=record["node"],
            coverage=record["coverage"],
            lost=sum(record["lost"].values()),
        )
    ]


def capture_signals(record: Record, place: Place | None) -> list[CaptureSignal]:
    """Of a CaptureStatus."""
    return [
        CaptureSignal(
            place=place,
            at_ns=record["updated_at_ns"],
            id=record["id"],
            node=record["node"],
            state=record["state"],
            reason=record["reason"],
            packets=record["packets"],
            dropped=record["dropped"],
        )
    ]
