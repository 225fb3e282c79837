"""Flow documents as lines for people. Names come from whoever made them, so control characters never pass."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from conntrail.observe.condition import values_at

Document = Mapping[str, Any]
COLUMNS = ("time", "source", "destination", "protocol", "verdict", "bytes", "reason")
WIDE_COLUMNS = ("process", "service", "policies", "rtt", "reporter", "coverage", "flow")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_UNIT = 1024


def printable(text: str) -> str:
    """Show control characters, which could drive a terminal, as escapes."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def first(document: Document, path: str) -> Any:
    """First value of a field; None when absent."""
    values = values_at(document, path)
    return values[0] if values else None


def end_name(document: Document, end: str, with_port: bool) -> str:
    """``namespace/pod:port``, the node's name, or the address of an end outside the cluster."""
    namespace = first(document, f"{end}.kubernetes.namespace")
    name = first(document, f"{end}.kubernetes.pod.name") or first(document, f"{end}.kubernetes.workload.name")
    label = f"{namespace}/{name}" if namespace and name else name or first(document, f"{end}.ip") or "?"
    port = first(document, f"{end}.port")
    return printable(f"{label}:{port}" if with_port and port else str(label))


def decided_by(document: Document) -> str:
    """The policies behind a verdict, the denying ones first."""
    policies = values_at(document, "policy.denied_by") or [
        *values_at(document, "policy.ingress.policies"),
        *values_at(document, "policy.egress.policies"),
    ]
    return printable(", ".join(str(policy) for policy in policies))


def compact(document: Document) -> str:
    """One line: time, ends, protocol, verdict, by what."""
    action = str(first(document, "event.action") or "?").upper()
    by = decided_by(document) if action == "DENIED" else ""
    reason = printable(str(first(document, "event.reason") or "")) if action != "ALLOWED" else ""
    service = service_name(document)
    parts = [
        f"{clock(document)}: {end_name(document, 'source', with_port=True)}",
        f"-> {end_name(document, 'destination', with_port=True)}",
        f"(service {service})" if service else "",
        str(first(document, "network.transport") or "").upper(),
        action,
        f"by {by}" if by else "",
        f"({reason})" if reason else "",
        human_bytes(first(document, "network.bytes")),
    ]
    return " ".join(part for part in parts if part)


def row(document: Document, is_wide: bool) -> list[str]:
    """Cells of COLUMNS, and of WIDE_COLUMNS."""
    why = decided_by(document) if first(document, "event.action") == "denied" else first(document, "event.reason")
    cells = [
        clock(document),
        end_name(document, "source", with_port=is_wide),
        end_name(document, "destination", with_port=True),
        str(first(document, "network.transport") or ""),
        str(first(document, "event.action") or ""),
        human_bytes(first(document, "network.bytes")),
        printable(str(why or "")),
    ]
    if not is_wide:
        return cells
    rtt = first(document, "tcp.rtt_us")
    return [
        *cells,
        printable(str(first(document, "source.process.name") or "")),
        service_name(document),
        decided_by(document),
        f"{rtt} µs" if rtt is not None else "",
        str(first(document, "flow.reporter") or ""),
        str(first(document, "flow.coverage") or ""),
        str(first(document, "flow.id") or ""),
    ]


def service_name(document: Document) -> str:
    """``namespace/name`` of the Service that was dialled; empty when none was."""
    name = first(document, "destination.service.name")
    return printable(f"{first(document, 'destination.service.namespace')}/{name}") if name else ""


def clock(document: Document) -> str:
    """Time of the flow's end, to the millisecond, as its document has it (UTC)."""
    stamp = first(document, "event.end") or first(document, "@timestamp")
    if isinstance(stamp, str):
        return printable(datetime.fromisoformat(stamp).strftime("%H:%M:%S.%f")[:-3])
    return "?"


def human_bytes(count: Any) -> str:
    """Bytes with a binary unit."""
    value = float(count or 0)
    for unit in _UNITS:
        if value < _UNIT or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _UNIT
    return ""
