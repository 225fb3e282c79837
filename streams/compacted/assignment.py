"""How far each partition of the topic has been taken in, and which partitions there are."""

import json
from dataclasses import dataclass, field


@dataclass(slots=True)
class Assignment:
    """Positions by partition: the next offset to take in."""

    topic: str
    positions: dict[int, int] = field(default_factory=dict)
    unread: set[int] = field(default_factory=set)
    """Partitions whose end has not been reached since they were assigned."""
    lag: int = 0
    _wanted: set[int] = field(default_factory=set)

    @property
    def version(self) -> int:
        """Grows with the log, and is the same for all who have read as far: compaction does not lower it."""
        return sum(self.positions.values())

    def add(self, partitions: set[int]) -> None:
        """Read these too, from the beginning."""
        self.unread |= partitions
        self._wanted -= partitions
        self.positions = {**dict.fromkeys(sorted(partitions), 0), **self.positions}

    def note_next(self, partition: int, offset: int) -> None:
        """Everything before an offset has been taken in."""
        self.positions[partition] = max(offset, self.positions.get(partition, 0))

    def note_end(self, partition: int, offset: int) -> None:
        """A partition's end has been reached."""
        self.note_next(partition, offset)
        self.unread.discard(partition)

    def note_statistics(self, text: str) -> None:
        """Take in librdkafka's statistics (STATISTICS.md), which tell of partitions that were added."""
        partitions = json.loads(text).get("topics", {}).get(self.topic, {}).get("partitions", {})
        ends = {int(number): int(facts.get("hi_offset", 0)) for number, facts in partitions.items() if int(number) >= 0}
        self._wanted = set(ends) - set(self.positions)
        self.lag = sum(max(end - self.positions.get(number, 0), 0) for number, end in ends.items())

    def missing(self) -> set[int]:
        """Partitions that are there and not assigned."""
        return self._wanted
