"""Puts what was read of many partitions into the order in which Kafka took it, however far one is behind another.

What one partition gave is told as soon as no other can still give what Kafka took before. A partition at its end
cannot, and one that gives nothing for long is not waited for. What has been read and not been told is no progress.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from streams.alert.signal.message import Message

Place = tuple[str, int]
"""Topic without its prefix, and partition."""
_HELD_MESSAGES: Final = 20_000
"""Beyond, only partitions that are waited for are read on."""
_PATIENCE_SECONDS: Final = 60.0
"""A partition whose broker is away holds the others up for no longer. To take what was fetched needs far less."""


@dataclass(slots=True)
class _Partition:
    next: int
    """Offset to be read next."""
    end: int
    """There were records up to here, or markers of transactions."""
    heard_at: float
    """When it gave something last, or was at its end; monotonic."""
    until_ns: int = 0
    """What is read from now on was taken by Kafka no earlier."""
    passed: int = 0
    """Up to here Kafka has nothing to give now."""
    is_paused: bool = False
    held: deque[tuple[int, Message]] = field(default_factory=deque)
    """What was read and may not be told yet, each with the instant after which it may."""

    @property
    def is_at_end(self) -> bool:
        return max(self.next, self.passed) >= self.end


class Intake:
    """Not thread-safe. Instants ``at`` are monotonic seconds."""

    def __init__(self) -> None:
        self._partitions: dict[Place, _Partition] = {}
        self._held = 0
        self.until_ns: int | None = 0
        """Nothing is still to come that Kafka took before; None when all that was there has been told."""

    @property
    def positions(self) -> dict[Place, int]:
        """Offset of what is to be told next, of each partition."""
        return {place: one.held[0][1].offset if one.held else one.next for place, one in self._partitions.items()}

    def next(self, place: Place) -> int:
        """Offset of what is to be read next."""
        return self._partitions[place].next

    def begin(self, place: Place, offset: int, end: int, at: float) -> None:
        """Read a partition from an offset; there are records up to an end."""
        self._partitions[place] = _Partition(offset, end, at)

    def move(self, place: Place, offset: int, end: int) -> None:
        """Read it from another offset."""
        one = self._partitions[place]
        one.next, one.end, one.passed, one.is_paused = offset, end, 0, False

    def look(self, place: Place, end: int) -> None:
        """There are records up to an end."""
        one = self._partitions[place]
        one.end = max(one.end, end)

    def wait_anew(self, at: float) -> None:
        """Nobody has read for a while, so nobody can have given anything."""
        for one in self._partitions.values():
            one.heard_at = at

    def add(self, message: Message, at: float) -> None:
        """Take what was read."""
        one = self._partitions[message.topic, message.partition]
        one.next, one.passed, one.heard_at = message.offset + 1, 0, at
        one.until_ns = max(one.until_ns, message.written_at_ns)
        one.held.append((one.until_ns, message))
        self._held += 1

    def pass_end(self, place: Place, at: float) -> None:
        """It gives nothing more for now: what is still there are markers, or belongs to an open transaction."""
        one = self._partitions[place]
        one.passed, one.heard_at = one.end, at

    def take(self, began_ns: int, at: float) -> list[Message]:
        """What may be told, in its order. ``began_ns``: when reading began, after the ends were looked for."""
        waited = []
        for one in self._partitions.values():
            if one.is_at_end or one.is_paused:
                one.heard_at = at
            if one.is_at_end:
                one.until_ns = max(one.until_ns, began_ns)
            elif at - one.heard_at < _PATIENCE_SECONDS:
                waited.append(one.until_ns)
        self.until_ns = min(waited, default=None)
        found = [told for one in self._partitions.values() for told in self._told(one)]
        self._held -= len(found)
        return [message for _, message in sorted(found, key=lambda told: told[0])]

    def to_pause(self) -> list[Place]:
        """Partitions that are far enough ahead; they are taken to be paused."""
        if self._held < _HELD_MESSAGES:
            return []
        return self._paused([place for place, one in self._partitions.items() if one.held and not one.is_paused])

    def to_resume(self) -> list[Place]:
        """Partitions that are to be read again; they are taken to be."""
        is_light = self._held <= _HELD_MESSAGES // 2
        paused = [(place, one) for place, one in self._partitions.items() if one.is_paused]
        return self._paused([place for place, one in paused if is_light or not one.held], is_paused=False)

    def _told(self, one: _Partition) -> list[tuple[int, Message]]:
        found = []
        while one.held and (self.until_ns is None or one.held[0][0] <= self.until_ns):
            found.append(one.held.popleft())
        return found

    def _paused(self, places: list[Place], *, is_paused: bool = True) -> list[Place]:
        for place in places:
            self._partitions[place].is_paused = is_paused
        return places
