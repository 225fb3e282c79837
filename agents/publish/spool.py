"""Decides which intervals wait for Kafka, in memory or on disk, which are under way, and which are given up.

Ordered and bounded: the oldest that is not under way is dropped first, and counted. With a directory every interval
is on disk already (durable before it is sent), so memory only saves reading it back.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from agents.publish.interval import Interval


@dataclass(slots=True)
class _Entry:
    size_bytes: int
    interval: Interval | None
    """None while it is on disk alone."""
    unconfirmed: set[int] | None = None
    """Messages under way; None before the interval was sent."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What the disk does for a spool."""

    load: Callable[[int], Interval]
    """Reads an interval back. Raises AgentError."""
    forget: Callable[[int], None]
    """Removes an interval."""


@dataclass(slots=True)
class Spool:
    """Intervals that Kafka has not confirmed, oldest first."""

    memory_bytes: int
    disk_bytes: int
    """0 without a directory."""
    dropped: int = 0
    """Intervals given up for lack of room, since the start."""
    _entries: OrderedDict[int, _Entry] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """Bytes of all intervals kept, in memory or on disk."""
        return sum(entry.size_bytes for entry in self._entries.values())

    def sequences(self) -> list[int]:
        """Intervals kept, oldest first."""
        return list(self._entries)

    def add(self, interval: Interval) -> list[int]:
        """Keep a new interval; return the sequences dropped for it, perhaps its own."""
        return self._keep(interval.sequence, interval.size_bytes, interval)

    def add_stored(self, sequence: int, size_bytes: int) -> list[int]:
        """Keep an interval that an earlier life of the agent left on disk; return the sequences dropped."""
        return self._keep(sequence, size_bytes, None)

    def next_to_send(self) -> int | None:
        """The oldest interval that is not under way."""
        return next((sequence for sequence, entry in self._entries.items() if entry.unconfirmed is None), None)

    def interval(self, sequence: int) -> Interval | None:
        """From memory; None when it must be read from disk."""
        return self._entries[sequence].interval

    def mark_sent(self, sequence: int, messages: int) -> None:
        """All messages of the interval were handed over."""
        self._entries[sequence].unconfirmed = set(range(messages))

    def confirm(self, sequence: int, message: int) -> bool:
        """Kafka has the message. True when the interval is thereby whole and has left the spool."""
        entry = self._entries.get(sequence)
        if entry is None or entry.unconfirmed is None:
            return False
        entry.unconfirmed.discard(message)
        if entry.unconfirmed:
            return False
        del self._entries[sequence]
        return True

    def send_again(self) -> None:
        """Nothing is under way any more: what is not confirmed whole is to be sent from the oldest on."""
        for entry in self._entries.values():
            entry.unconfirmed = None

    def discard(self, sequence: int) -> None:
        """Give up an interval that cannot be read or encoded."""
        if self._entries.pop(sequence, None) is not None:
            self.dropped += 1

    def _keep(self, sequence: int, size_bytes: int, interval: Interval | None) -> list[int]:
        self._entries[sequence] = _Entry(size_bytes, interval)
        dropped = self._drop_excess()
        in_memory = sum(entry.size_bytes for entry in self._entries.values() if entry.interval is not None)
        if self.disk_bytes and in_memory > self.memory_bytes and sequence in self._entries:
            self._entries[sequence].interval = None
        return dropped

    def _drop_excess(self) -> list[int]:
        limit = self.disk_bytes or self.memory_bytes
        size = self.size_bytes
        dropped = []
        for sequence, entry in list(self._entries.items()):
            if size <= limit:
                break
            if entry.unconfirmed is None:
                del self._entries[sequence]
                dropped.append(sequence)
                size -= entry.size_bytes
        self.dropped += len(dropped)
        return dropped
