"""Filters by number: ports and their ranges, statuses and their classes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from conntrail.observe.condition import Document, FilterError, values_at

Span = tuple[int, int]
_MOST_PORT: Final = 65535
_PORTS: Final = re.compile(r"0*(\d{1,5})(?:-0*(\d{1,5}))?", re.ASCII)
_STATUSES: Final = re.compile(r"([1-5])(?:(?:\+|[xX]{2})|(\d)(?:\+|[xX]|(\d)(?:-([1-5]\d\d))?))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Within:
    """Any of these fields lies in any of these spans, both ends included."""

    fields: tuple[str, ...]
    spans: tuple[Span, ...]

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""
        found = [value for field in self.fields for value in values_at(document, field) if isinstance(value, int)]
        return any(low <= value <= high for value in found for low, high in self.spans)

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        clauses = [{"range": {field: {"gte": low, "lte": high}}} for field in self.fields for low, high in self.spans]
        return {"bool": {"should": clauses, "minimum_should_match": 1}}


def ports(texts: Iterable[str]) -> tuple[Span, ...]:
    """Of ``80``, ``8000-8100`` and several with commas. Raises FilterError."""
    return tuple(_port_span(text) for text in _separate(texts))


def statuses(texts: Iterable[str]) -> tuple[Span, ...]:
    """Of ``404``, ``5xx`` or ``5+``, ``40x`` or ``40+``, ``500-503``, and several with commas. Raises FilterError."""
    return tuple(_status_span(text) for text in _separate(texts))


def _separate(texts: Iterable[str]) -> Iterable[str]:
    return (part.strip() for text in texts for part in text.split(","))


def _port_span(text: str) -> Span:
    found = _PORTS.fullmatch(text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not low <= high <= _MOST_PORT:
        raise FilterError(f"--port {text}: expected a number up to {_MOST_PORT}, or a range as 8000-8100")
    return low, high


def _status_span(text: str) -> Span:
    found = _STATUSES.fullmatch(text)
    if found is None:
        raise FilterError(f"--http-status {text}: expected a status as 404, a class as 5xx or 5+, or a range 500-503")
    known = "".join(digit for digit in found.group(1, 2, 3) if digit)
    low, high = int(f"{known:0<3}"), int(f"{known:9<3}")
    if found[4]:
        high = int(found[4])
    if high < low:
        raise FilterError(f"--http-status {text}: the range ends before it begins: exchange its ends")
    return low, high
