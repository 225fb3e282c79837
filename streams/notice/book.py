"""What is known of all alerts, in the order in which it came.

Kept is what a compacted topic keeps: the last word on every alert, and the latest of the words that were replaced. So
a reader is a number, how far it has come: one that is slow misses replaced words and never an alert, and costs nothing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from streams.notice.document import alert_document, text_of
from streams.notice.position import Position

_ALERTS: Final = 50_000
"""Alerts that are remembered; at some 2 KiB each, 100 MiB."""
_REPLACED: Final = 5_000
_SLACK: Final = 5_000
"""Words that may gather before they are thinned out, so that thinning is rare."""
_sequence_of = attrgetter("sequence")


@dataclass(frozen=True, slots=True)
class Word:
    """One record of the topic: where it stood, and what it says."""

    sequence: int
    partition: int
    offset: int
    alert: Mapping[str, Any]

    @property
    def text(self) -> str:
        """As JSON."""
        return text_of(alert_document(self.alert))


class AlertBook:
    """Words by sequence, from 1, and the last of each alert."""

    def __init__(self, alerts: int = _ALERTS, replaced: int = _REPLACED, slack: int = _SLACK) -> None:
        self._bounds = (alerts, replaced, slack)
        self._words: list[Word] = []
        self._last: dict[str, Word] = {}
        self._next: dict[int, int] = {}
        self._forgotten: dict[int, int] = {}
        self._sequence = 0
        self.dropped = 0
        """Alerts that were forgotten because there were too many."""

    @property
    def sequence(self) -> int:
        """Of the last word."""
        return self._sequence

    @property
    def count(self) -> int:
        """Of alerts."""
        return len(self._last)

    @property
    def position(self) -> dict[int, int]:
        """Everything before these offsets has been taken in."""
        return dict(self._next)

    def take(self, partition: int, offset: int, key: str, alert: Mapping[str, Any] | None) -> None:
        """Take a record in, or that there is none any more. What an alert said before it stays replaced."""
        self._next[partition] = max(offset + 1, self._next.get(partition, 0))
        if alert is None:
            self._last.pop(key, None)
            return
        known = self._last.get(alert["id"])
        if known is not None and known.alert["revision"] > alert["revision"]:
            return
        self._sequence += 1
        word = Word(self._sequence, partition, offset, alert)
        self._last[alert["id"]] = word
        self._words.append(word)
        if len(self._words) > sum(self._bounds):
            self._thin()

    def get(self, alert_id: str) -> Word | None:
        """The last word on an alert."""
        return self._last.get(alert_id)

    def alerts(self) -> Iterator[Word]:
        """The last word on each, latest first."""
        return iter(sorted(self._last.values(), key=_sequence_of, reverse=True))

    def after(self, sequence: int, count: int) -> list[Word]:
        """The next words after one, in order; no more than ``count``."""
        start = bisect_right(self._words, sequence, key=_sequence_of)
        return self._words[start : start + count]

    def missed(self, position: Position) -> list[Word]:
        """Words that somebody has not had who has read up to a position.

        Of a partition that does not reach as far (the topic was made anew) that is everything: twice beats never.
        """
        read = {p: offset for p, offset in position.items() if offset <= self._next.get(p, 0)}
        return [word for word in self._words if word.offset >= read.get(word.partition, 0)]

    def is_forgotten(self, position: Position) -> bool:
        """Whether something after a position is not known any more."""
        return any(position.get(partition, 0) <= offset for partition, offset in self._forgotten.items())

    def _thin(self) -> None:
        alerts, replaced, _ = self._bounds
        surplus = len(self._last) - alerts
        if surplus > 0:
            self._forget(_expendable(self._last.values())[:surplus])
        kept = {word.sequence for word in self._last.values()}
        kept.update([word.sequence for word in self._words if word.sequence not in kept][-replaced:])
        self._words = [word for word in self._words if word.sequence in kept]

    def _forget(self, words: Iterable[Word]) -> None:
        for word in words:
            del self._last[word.alert["id"]]
            self._forgotten[word.partition] = max(word.offset, self._forgotten.get(word.partition, 0))
            self.dropped += 1


def _expendable(words: Iterable[Word]) -> list[Word]:
    """Resolved ones first, the longest known first."""
    return sorted(words, key=lambda word: (word.alert["status"] != "resolved", word.sequence))
