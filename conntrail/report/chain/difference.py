"""What an amendment changed: two reports of one day, section by section."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conntrail.report.evidence.canonical import canonical


@dataclass(frozen=True, slots=True)
class SectionChange:
    """Rows that came and went; a row of which a figure changed is one of each."""

    section: str
    added: int
    removed: int

    def __str__(self) -> str:
        if not self.added and not self.removed:
            return f"{self.section} changed"
        return f"{self.section} +{self.added} -{self.removed} rows"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[SectionChange]:
    """Of two documents as JSON has them; empty when they say the same."""
    names = sorted(before.keys() | after.keys())
    return [change for name in names if (change := _difference(name, before.get(name), after.get(name))) is not None]


def _difference(name: str, before: Any, after: Any) -> SectionChange | None:
    if before == after:
        return None
    if not isinstance(before, list) or not isinstance(after, list):
        return SectionChange(name, 0, 0)
    was, now = (Counter(map(canonical, rows)) for rows in (before, after))
    return SectionChange(name, (now - was).total(), (was - now).total())
