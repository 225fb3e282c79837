"""A report as a value, and as one JSON object. Nothing of it says when or where it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from conntrail.report.evidence.section import SECTIONS, Row, Section
from conntrail.report.fact.facts import Scope

FORMAT: Final = 1
"""Of the JSON document. Another number means that the same data reads otherwise."""
MS_PER_SECOND: Final = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """Evidence of one scope and period."""

    scope: Scope
    since_ms: int
    until_ms: int
    final_at_ms: int
    """Until then late data may change it; Unix time, ms."""
    is_final: bool
    revision: int
    """How often the day was amended before; 0 for the first report of it."""
    completeness: Mapping[str, Any]
    summary: Mapping[str, Any]
    rows: Mapping[str, tuple[Row, ...]]
    """By name of a section."""

    @property
    def state(self) -> str:
        """In a word."""
        return "final" if self.is_final else "provisional"

    def tables(self) -> list[tuple[Section, tuple[Row, ...]]]:
        """All sections in their order."""
        return [(section, self.rows.get(section.name, ())) for section in SECTIONS]

    def document(self) -> dict[str, Any]:
        """As JSON has it: a member a section, beside what stands before them."""
        return {
            "format": FORMAT,
            "scope": {"cluster": self.scope.cluster, "namespace": self.scope.namespace},
            "period": {"from": stamp(self.since_ms), "until": stamp(self.until_ms)},
            "status": {"state": self.state, "final_at": stamp(self.final_at_ms), "revision": self.revision},
            "completeness": self.completeness,
            "summary": self.summary,
            **{section.name: list(rows) for section, rows in self.tables()},
        }


def stamp(at_ms: int) -> str:
    """UTC in ISO 8601 to the millisecond."""
    seconds, rest = divmod(at_ms, MS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
