"""What one subscriber has been given of the book of alerts, and what comes next."""

from collections import deque
from typing import Final, Literal

from streams.notice.book import AlertBook, Word
from streams.notice.position import Position
from streams.notice.selection import Selection

Start = Literal["now", "active", "beginning"]
STARTS: Final[tuple[Start, ...]] = ("now", "active", "beginning")
_TOGETHER: Final = 100


class Subscription:
    """From a position, or without one from a start: ``active`` begins with the alerts that are open."""

    def __init__(self, book: AlertBook, selection: Selection, start: Start, position: Position | None = None) -> None:
        self._book = book
        self._selection = selection
        self._cursor = book.sequence
        self._head = book.position
        self.has_gap = position is not None and book.is_forgotten(position)
        """Whether something of what the subscriber has not had is not known any more."""
        self._backlog = deque(_backlog(book, start, position))
        self._position = dict(position or (self._head if start == "now" else {}))
        if not self._backlog:
            self._position = dict(self._head)

    @property
    def position(self) -> dict[int, int]:
        """Everything before it has been given out, or was not asked for."""
        return dict(self._position)

    def take(self) -> list[tuple[Word, dict[int, int]]]:
        """The next words, each with the position after it; none when there is nothing new."""
        found: list[tuple[Word, dict[int, int]]] = []
        while words := self._next():
            for word in words:
                self._position[word.partition] = max(word.offset + 1, self._position.get(word.partition, 0))
                if self._selection.holds(word.alert):
                    found.append((word, self.position))
            if not self._backlog and self._cursor == self._book.sequence:
                self._position = self._book.position
            if found:
                break
        return found

    def _next(self) -> list[Word]:
        if self._backlog:
            return self._from_backlog()
        words = self._book.after(self._cursor, _TOGETHER)
        self._cursor = words[-1].sequence if words else self._book.sequence
        return words

    def _from_backlog(self) -> list[Word]:
        words = [self._backlog.popleft() for _ in range(min(_TOGETHER, len(self._backlog)))]
        if not self._backlog:
            self._position = {**self._position, **self._head}
        return words


def _backlog(book: AlertBook, start: Start, position: Position | None) -> list[Word]:
    """A partition that the position reaches beyond is given out whole, from its beginning."""
    if position is not None:
        return book.missed(position)
    if start == "now":
        return []
    words = book.missed({})
    return words if start == "beginning" else [word for word in words if _is_open(book, word)]


def _is_open(book: AlertBook, word: Word) -> bool:
    return word.alert["status"] != "resolved" and book.get(word.alert["id"]) is word
