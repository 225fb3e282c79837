"""Which alerts somebody asks for. Values of one kind are alternatives; different kinds must all hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from streams.alert.life.matcher import namespaces_of, workload_names
from streams.alert.life.pattern import MAXIMUM_LETTERS, is_like

SEVERITIES: Final = ("low", "medium", "high", "critical")
STATUSES: Final = ("open", "updated", "resolved")
_MAXIMUM_VALUES: Final = 64


class SelectionError(ValueError):
    """A filter cannot be understood; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Patterns by kind; an empty tuple asks for all."""

    severity: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    """``active`` is open or updated."""
    namespace: tuple[str, ...] = ()
    """Of the alert, or of any workload that it touches."""
    rule: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    workload: tuple[str, ...] = ()
    """``namespace/name``, or a name in any namespace."""

    def holds(self, alert: Mapping[str, Any]) -> bool:
        """Whether an alert is asked for."""
        return (
            _fits(self.severity, (alert["severity"],))
            and _fits(self.status, (alert["status"], "" if alert["status"] == "resolved" else "active"))
            and _fits(self.rule, (alert["rule"],))
            and _fits(self.category, (alert["category"],))
            and _fits(self.namespace, namespaces_of(alert))
            and _fits(self.workload, workload_names(alert))
        )


KINDS: Final = tuple(field.name for field in fields(Selection))


def parse_selection(pairs: Iterable[tuple[str, str]]) -> Selection:
    """Of names with values, each several times or separated by commas. Raises SelectionError, naming what is wrong."""
    found: dict[str, list[str]] = {}
    for kind, text in pairs:
        if kind not in KINDS:
            raise SelectionError(f"no filter is called {kind[:40]!r}: there are {', '.join(KINDS)}")
        found.setdefault(kind, []).extend(word.strip() for word in text.split(",") if word.strip())
    for kind, values in found.items():
        if len(values) > _MAXIMUM_VALUES or any(len(value) > MAXIMUM_LETTERS for value in values):
            raise SelectionError(f"{kind}: at most {_MAXIMUM_VALUES} values of {MAXIMUM_LETTERS} letters")
    _require_known("severity", found.get("severity", ()), SEVERITIES)
    _require_known("status", found.get("status", ()), (*STATUSES, "active"))
    return Selection(**{kind: tuple(dict.fromkeys(values)) for kind, values in found.items()})


def at_least(severity: str) -> tuple[str, ...]:
    """A severity and those above. Raises SelectionError for a word that is none."""
    _require_known("severity", (severity,), SEVERITIES)
    return SEVERITIES[SEVERITIES.index(severity) :]


def _fits(wanted: tuple[str, ...], values: Iterable[str]) -> bool:
    return not wanted or any(is_like(value, wanted) for value in values)


def _require_known(kind: str, values: Iterable[str], known: tuple[str, ...]) -> None:
    for value in values:
        if value not in known:
            raise SelectionError(f"{kind} {value[:40]!r}: expected {', '.join(known)}")
