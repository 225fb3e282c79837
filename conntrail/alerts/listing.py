"""Alerts and silences as rows and lines for people."""

from collections.abc import Mapping
from typing import Any, Final

from conntrail.text import printable
from streams.notice.document import rfc3339

Record = Mapping[str, Any]
Row = dict[str, object]
WIDE_ONLY: Final = frozenset({"category", "workloads", "policies", "cause", "count", "updated", "reason"})
SILENCES_WIDE_ONLY: Final = frozenset({"by", "created"})
_MILLISECONDS: Final = len("2026-01-01T00:00:00.000")


def alert_row(alert: Record) -> Row:
    """Of a table."""
    return {
        "since": moment(alert["started_at_ns"]),
        "severity": alert["severity"],
        "status": alert["status"],
        "rule": alert["rule"],
        "namespace": alert["namespace"],
        "message": alert["message"],
        "category": alert["category"],
        "reason": alert["reason"],
        "cause": likeliest_cause(alert),
        "workloads": alert["workloads"],
        "policies": alert["policies"],
        "count": alert["count"],
        "updated": moment(alert["updated_at_ns"]),
        "id": alert["id"],
    }


def alert_line(alert: Record) -> str:
    """One line, harmless to a terminal."""
    cause = likeliest_cause(alert)
    parts = (
        moment(alert["resolved_at_ns"] or alert["updated_at_ns"]),
        alert["severity"].upper(),
        alert["status"],
        alert["rule"],
        alert["message"],
        f"({cause})" if cause else "",
        f"[{alert['id']}]",
    )
    return printable(" ".join(part for part in parts if part))


def alert_sheet(alert: Record) -> list[Row]:
    """All that it says, a row a field; what says nothing is left out."""
    return [
        {"field": name.removesuffix("_ns"), "value": _sheet_value(name, value)}
        for name, value in alert.items()
        if value not in (None, "", 0) and value not in ([], {})
    ]


def silence_row(silence: Record, now_ns: int) -> Row:
    """Of a table."""
    return {
        "id": silence["id"],
        "matchers": ", ".join(f"{name}={pattern}" for name, pattern in sorted(silence["matchers"].items())),
        "state": "active" if silence["ends_at_ns"] > now_ns else "ended",
        "ends": moment(silence["ends_at_ns"]),
        "comment": silence["comment"],
        "by": silence["by"],
        "created": moment(silence["created_at_ns"]),
    }


def likeliest_cause(alert: Record) -> str:
    """In words; empty when none is known."""
    if not alert["causes"]:
        return ""
    cause = alert["causes"][0]
    return f"{cause['summary']}{' by ' + cause['by'] if cause['by'] else ''}"


def moment(at_ns: int) -> str:
    """An instant (Unix time, ns) to the millisecond; empty when it is not known."""
    return f"{rfc3339(at_ns)[:_MILLISECONDS]}Z" if at_ns else ""


def _sheet_value(name: str, value: Any) -> object:
    if name.endswith("_ns"):
        return moment(value)
    if name == "causes":
        return [_cause_text(cause) for cause in value]
    if isinstance(value, Mapping):
        return [f"{key}: {item}" for key, item in value.items()]
    return value


def _cause_text(cause: Record) -> str:
    parts = (cause["summary"], cause["object"], f"by {cause['by']}" if cause["by"] else "", moment(cause["at_ns"]))
    evidence = "; ".join(cause["evidence"])
    return f"{cause['confidence']:.0%} {', '.join(part for part in parts if part)}{': ' + evidence if evidence else ''}"
