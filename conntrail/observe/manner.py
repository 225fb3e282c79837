"""How documents are to be printed."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from conntrail.observe.mask import masked

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Manner:
    """How to print."""

    form: str
    """compact, table, wide, json or jsonl."""
    mask: tuple[tuple[str, ...], ...] = ()
    """Paths of the fields to print, of json and jsonl; all when there are none."""
    keys: tuple[str, ...] = ()
    """Count by these instead."""
    zone: tzinfo | None = UTC
    """Of times that people read; None is this machine's. JSON has UTC always."""

    @property
    def is_json(self) -> bool:
        """Whether documents are printed as they are."""
        return self.form in ("json", "jsonl")

    def fields(self, document: Document) -> Document:
        """Those that are asked for."""
        return masked(document, self.mask) if self.mask else document
