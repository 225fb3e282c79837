"""Which of the documents that a topic holds are the last word: what the index decides by versions and spans.

A higher revision replaces a lower one under the same id; one that ``replaces`` makes everything older of its span
stale (streams/index).
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

from streams.index.document import Document

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """Keeps a value for each document, in its highest revision."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[int, str, Value]] = {}
        self._floors: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._values)

    def put(self, document: Document, value: Value) -> None:
        """Take in what a document says."""
        span = "" if document.span is None else document.span.id
        if document.span is not None and document.span.replaces:
            self._floors[span] = max(self._floors.get(span, 0), document.span.revision)
        before = self._values.get(document.id)
        if before is None or before[0] <= document.version:
            self._values[document.id] = (document.version, span, value)

    def __iter__(self) -> Iterator[Value]:
        return (value for revision, span, value in self._values.values() if revision >= self._floors.get(span, 0))
