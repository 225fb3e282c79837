"""Flow documents as lines for people. Names come from whoever made them, so control characters never pass."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from conntrail.observe.condition import values_at
from conntrail.text import printable

Document = Mapping[str, Any]
COLUMNS = ("time", "source", "destination", "protocol", "verdict", "bytes", "reason")
WIDE_COLUMNS = ("process", "service", "policies", "rtt", "reporter", "coverage", "flow")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_UNIT = 1024


def first(document: Document, path: str) -> Any:
    """First value of a field; None when absent."""
    values = values_at(document, path)
    return values[0] if values else None


def _end_name(document: Document, end: str, with_port: bool) -> str:
    """``namespace/pod:port``, the node's name, or the address of an end outside the cluster."""
    namespace = first(document, f"{end}.kubernetes.namespace")
    name = first(document, f"{end}.kubernetes.pod.name") or first(document, f"{end}.kubernetes.workload.name")
    label = str(f"{namespace}/{name}" if namespace and name else name or first(document, f"{end}.ip") or "?")
    port = first(document, f"{end}.port")
    if not with_port or not port:
        return label
    return f"[{label}]:{port}" if ":" in label else f"{label}:{port}"


def _decided_by(document: Document) -> str:
    """The policies behind a verdict, the denying ones first."""
    policies = values_at(document, "policy.denied_by") or [
        *values_at(document, "policy.ingress.policies"),
        *values_at(document, "policy.egress.policies"),
    ]
    return ", ".join(str(policy) for policy in policies)


def compact(document: Document) -> str:
    """One line: time, ends, protocol, verdict, by what."""
    action = str(first(document, "event.action") or "?").upper()
    by = _decided_by(document) if action == "DENIED" else ""
    reason = str(first(document, "event.reason") or "") if action != "ALLOWED" else ""
    service = _service_name(document)
    parts = [
        f"{_clock(document)}: {_end_name(document, 'source', with_port=True)}",
        f"-> {_end_name(document, 'destination', with_port=True)}",
        f"(service {service})" if service else "",
        str(first(document, "network.transport") or "").upper(),
        action,
        f"by {by}" if by else "",
        f"({reason})" if reason else "",
        human_bytes(first(document, "network.bytes")),
    ]
    return printable(" ".join(part for part in parts if part))


def row(document: Document, is_wide: bool) -> list[str]:
    """Cells of COLUMNS, and of WIDE_COLUMNS."""
    return [printable(cell) for cell in _cells(document, is_wide)]


def _cells(document: Document, is_wide: bool) -> list[str]:
    why = _decided_by(document) if first(document, "event.action") == "denied" else first(document, "event.reason")
    cells = [
        _clock(document),
        _end_name(document, "source", with_port=is_wide),
        _end_name(document, "destination", with_port=True),
        str(first(document, "network.transport") or ""),
        str(first(document, "event.action") or ""),
        human_bytes(first(document, "network.bytes")),
        str(why or ""),
    ]
    if not is_wide:
        return cells
    rtt = first(document, "tcp.rtt_us")
    return [
        *cells,
        str(first(document, "source.process.name") or ""),
        _service_name(document),
        _decided_by(document),
        f"{rtt} µs" if rtt is not None else "",
        str(first(document, "flow.reporter") or ""),
        str(first(document, "flow.coverage") or ""),
        str(first(document, "flow.id") or ""),
    ]


def _service_name(document: Document) -> str:
    """``namespace/name`` of the Service that was dialled; empty when none was."""
    name = first(document, "destination.service.name")
    return f"{first(document, 'destination.service.namespace')}/{name}" if name else ""


def _clock(document: Document) -> str:
    """Time of the flow's end, to the millisecond: with date and zone, so that it can be given to --since again."""
    stamp = first(document, "event.end") or first(document, "@timestamp")
    try:
        moment = datetime.fromisoformat(stamp).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return "?"
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


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
