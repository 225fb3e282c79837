"""How one type of document is shown. Names come from whoever made them, so control characters never pass."""

from collections.abc import Callable
from dataclasses import dataclass

from conntrail.observe.render import Document
from conntrail.text import printable
from schemas.topic import Topic
from streams.index.dataset import Dataset


@dataclass(frozen=True, slots=True)
class View:
    """One type: where its documents are, and what people see of them."""

    topics: tuple[Topic, ...]
    dataset: Dataset
    nouns: tuple[str, str]
    """One of them, several of them."""
    columns: tuple[str, ...]
    wide_columns: tuple[str, ...]
    """What comes beside the columns."""
    line: Callable[[Document], list[str]]
    """Parts of a line, of which empty ones are left out."""
    cells: Callable[[Document, bool], list[str]]
    """Of the columns, and when wide of the wide ones."""

    def compact(self, document: Document) -> str:
        """One line."""
        return printable(" ".join(part for part in self.line(document) if part))

    def row(self, document: Document, is_wide: bool) -> list[str]:
        """Cells of a table."""
        return [printable(cell) for cell in self.cells(document, is_wide)]

    def headings(self, is_wide: bool) -> tuple[str, ...]:
        """Of a table."""
        return (*self.columns, *self.wide_columns) if is_wide else self.columns

    def counted(self, count: int) -> str:
        """So many of them, in words."""
        return f"{count} {self.nouns[count != 1]}"
