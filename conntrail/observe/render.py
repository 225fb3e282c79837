"""What documents of every type are read by: fields, ends, times and amounts as text for people."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from conntrail.observe.condition import values_at

Document = Mapping[str, Any]
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_UNIT = 1024
_TIMES = ("µs", "ms", "s")
_THOUSAND = 1000


def first(document: Document, path: str) -> Any:
    """First value of a field; None when absent."""
    values = values_at(document, path)
    return values[0] if values else None


def text(document: Document, path: str) -> str:
    """First value of a field as text; empty when absent."""
    value = first(document, path)
    return "" if value is None else str(value)


def end_name(document: Document, end: str, with_port: bool) -> str:
    """``namespace/pod:port``, the node's name, or the address of an end outside the cluster."""
    namespace = first(document, f"{end}.kubernetes.namespace")
    name = first(document, f"{end}.kubernetes.pod.name") or first(document, f"{end}.kubernetes.workload.name")
    label = str(f"{namespace}/{name}" if namespace and name else name or first(document, f"{end}.ip") or "?")
    port = first(document, f"{end}.port")
    if not with_port or not port:
        return label
    return f"[{label}]:{port}" if ":" in label else f"{label}:{port}"


def service_name(document: Document) -> str:
    """``namespace/name`` of the Service that was dialled; empty when none was."""
    name = first(document, "destination.service.name")
    return f"{first(document, 'destination.service.namespace')}/{name}" if name else ""


def clock(document: Document) -> str:
    """Time of its end, to the millisecond: with date and zone, so that it can be given to --since again.

    In the zone that it bears (``in_zone``).
    """
    stamp = first(document, "event.end") or first(document, "@timestamp")
    try:
        moment = datetime.fromisoformat(stamp)
        return _with_zone(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (TypeError, ValueError, OverflowError):
        return "?"


def in_zone(document: Mapping[str, Any], zone: tzinfo | None) -> dict[str, Any]:
    """The document with its times in a zone; None is this machine's. What is no time stays."""
    event = document.get("event")
    moved = {**document, "@timestamp": _moved(document.get("@timestamp"), zone)}
    return {**moved, "event": {**event, "end": _moved(event.get("end"), zone)}} if isinstance(event, Mapping) else moved


def _moved(stamp: Any, zone: tzinfo | None) -> Any:
    try:
        moment = datetime.fromisoformat(stamp)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone).isoformat()
    except (TypeError, ValueError, OverflowError):
        return stamp


def _with_zone(moment: datetime) -> str:
    written = moment.isoformat(timespec="milliseconds")
    return written.removesuffix("+00:00") + "Z" if not moment.utcoffset() else written


def human_bytes(count: Any) -> str:
    """Bytes with a binary unit."""
    if not isinstance(count, int | float | None):
        return "?"
    value = float(count or 0)
    for unit in _UNITS:
        if round(value, 1) < _UNIT or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _UNIT
    return ""


def human_time(microseconds: Any) -> str:
    """A time that something took; empty when it is not known."""
    if not isinstance(microseconds, int | float):
        return ""
    value = float(microseconds)
    for unit in _TIMES:
        shown = f"{value:.{0 if unit == _TIMES[0] else 1}f}"
        if float(shown) < _THOUSAND or unit == _TIMES[-1]:
            return f"{shown} {unit}"
        value /= _THOUSAND
    return ""
