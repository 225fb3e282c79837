"""Alerts, as the API tells them, as rows and lines for people. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from conntrail.text import printable

Document = Mapping[str, Any]
WIDE_ONLY: Final = frozenset({"category", "workloads", "updated"})
_FIELD: Final = b"data:"


def row_of(alert: Document) -> dict[str, object]:
    """Of a table."""
    return {
        "since": alert.get("started_at", ""),
        "severity": alert.get("severity", ""),
        "status": alert.get("status", ""),
        "rule": alert.get("rule", ""),
        "namespace": alert.get("namespace", ""),
        "message": alert.get("message", ""),
        "category": alert.get("category", ""),
        "workloads": alert.get("workloads", []),
        "updated": alert.get("updated_at", ""),
        "id": alert.get("id", ""),
    }


def line_of(alert: Document) -> str:
    """One line, harmless to a terminal."""
    names = ("updated_at", "severity", "status", "rule", "message")
    return printable(" ".join(str(alert.get(name, "")) for name in names) + f" [{alert.get('id', '')}]")


def event_data(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The data of server-sent events, one line each as our API sends them (HTML Standard, 9.2)."""
    for line in lines:
        if line.startswith(_FIELD):
            yield line.removeprefix(_FIELD).strip()
