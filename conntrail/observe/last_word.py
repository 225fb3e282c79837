"""Which of what a topic tells is outdated, by the rules of the index: versions and spans (streams/index).

A higher version replaces a lower one of the same name; a revision that ``replaces`` makes all older ones of its span
stale, whichever partition is read first. What is remembered is bounded.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from streams.index.document import Document

MOST_REMEMBERED: Final = 200_000
"""Spans, and documents without one that were told again, each some 300 bytes: a day of 23 partitions' steps."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a topic tells of one document."""

    name: str
    """The same for all that is told of the document."""
    scope: str
    """Of what its version is one: its span, or the document itself."""
    version: int
    body: dict[str, Any] | None
    """None: nothing is there any more, or not what is asked for."""


class LastWord:
    """Remembers which version is the latest."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._latest: OrderedDict[str, int] = OrderedDict()

    def take(self, told: Document) -> Word | None:
        """Take in what is told, a document or that there is none; None when something newer was told before."""
        name = "" if told.body is None else f"{told.body['event']['dataset']}|{told.id}"
        word = Word(name, name if told.span is None else told.span.id, told.version, told.body)
        # A document without a span is told again in higher versions than 1 alone.
        if told.version > 1 if told.span is None else told.span.replaces:
            self._remember(word.scope, word.version)
        return None if self.is_outdated(word.scope, word.version) else word

    def is_outdated(self, scope: str, version: int) -> bool:
        """Whether something newer was told."""
        return version < self._latest.get(scope, 0)

    def _remember(self, scope: str, version: int) -> None:
        self._latest[scope] = max(self._latest.get(scope, 0), version)
        if len(self._latest) > self._most:
            self._latest.popitem(last=False)
