"""Event objects as KubernetesEvent records (schemas/avro/kubernetes_event.avsc), of core/v1 and of events.k8s.io/v1.

The API server shows the same objects by both groups; whoever made them, one or the other names are filled.
"""

from collections.abc import Mapping
from typing import Any, Final

from agents.cluster.record.slim import Record
from agents.cluster.record.value import instant, mapping, number, text
from agents.cluster.touch import Touched, touched_fields

Object = Mapping[str, Any]
_MAXIMUM_MESSAGE: Final = 4096
_VERSIONS: Final = frozenset({"v1", "events.k8s.io/v1"})


def is_event(value: Object) -> bool:
    """Whether an object is an Event."""
    return text(value, "kind") == "Event" and text(value, "apiVersion") in _VERSIONS


def object_of(value: Object) -> tuple[str, str, str]:
    """Kind, namespace and name of what an event is about."""
    about = _about(value)
    return text(about, "kind"), text(about, "namespace"), text(about, "name")


def event_record(cluster: str, value: Object, touched: Touched) -> Record:
    """The record of an Event object; what is absent is empty or 0."""
    about, series = _about(value), mapping(value, "series")
    made = instant(value, "metadata", "creationTimestamp")
    begun = _first(value, ("eventTime",), ("firstTimestamp",), ("deprecatedFirstTimestamp",)) or made
    last = _first(value, ("series", "lastObservedTime"), ("lastTimestamp",), ("deprecatedLastTimestamp",)) or begun
    count = number(series, "count") or number(value, "count") or number(value, "deprecatedCount") or 1
    kind, namespace, name = object_of(value)
    return {
        "cluster": cluster,
        "uid": uid_of(value),
        "namespace": namespace,
        "kind": kind,
        "name": name,
        "object_uid": text(about, "uid"),
        "type": text(value, "type"),
        "reason": text(value, "reason"),
        "message": _message(value),
        "component": _word(value, ("reportingComponent",), ("reportingController",), *_sources("component")),
        "node_name": _word(value, *_sources("host")),
        "count": count,
        "first_seen_at_ns": begun,
        "last_seen_at_ns": max(begun, last),
        **touched_fields(touched),
        "resource_version": text(value, "metadata", "resourceVersion"),
    }


def uid_of(value: Object) -> str:
    """What tells an event from others; manifests may lack a UID."""
    name = f"{text(value, 'metadata', 'namespace')}/{text(value, 'metadata', 'name')}"
    return text(value, "metadata", "uid") or name


def _about(value: Object) -> Object:
    return mapping(value, "involvedObject") or mapping(value, "regarding")


def _sources(name: str) -> tuple[tuple[str, ...], ...]:
    return ("source", name), ("deprecatedSource", name)


def _word(value: Object, *paths: tuple[str, ...]) -> str:
    return next((found for path in paths if (found := text(value, *path))), "")


def _first(value: Object, *paths: tuple[str, ...]) -> int:
    return next((found for path in paths if (found := instant(value, *path))), 0)


def _message(value: Object) -> str:
    """Longer than other texts: 4 KiB of UTF-8."""
    for name in ("message", "note"):
        found = value.get(name)
        if isinstance(found, str) and found:
            encoded = found[:_MAXIMUM_MESSAGE].encode("utf-8", "replace")[:_MAXIMUM_MESSAGE]
            return encoded.decode("utf-8", "ignore")
    return ""
