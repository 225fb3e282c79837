"""Which parts of one partition are held, which are due, and what nodes have reported.

A part waits until event time has passed its interval's end by the grace, and until it has been here for the grace by
the clock: by then the metadata of its time is there, and so is the other node's report of the same exchanges, also
where all nodes send at once what they kept while Kafka was away. What is emitted is final: nothing is emitted twice, so
a report that comes later than that is too late to keep its echo from being counted.
"""

from collections.abc import Iterable

from schemas.batch import Batch
from streams.exchange.report import Reports
from streams.source.event_time import EventTime
from streams.source.part import Part, PartName

_KEPT_NS = 2 * 3600 * 10**9
"""Twice the retention of the topic: nothing can ask for older reports."""
_MARGIN_NS = 600 * 10**9
"""What is read again at once, so that a late part does not make the next one read again."""
_AHEAD_NS = 10 * 10**9
"""A node's clock that is ahead by more does not move event time."""


class Ledger:
    """The parts of one partition. Not thread-safe. Times are Unix, ns."""

    def __init__(self, grace_ns: int, first_offset: int) -> None:
        """``first_offset``: from there on every part is added; what came before is noted when a part needs it."""
        self._grace_ns = grace_ns
        self._event_time = EventTime(grace_ns, _AHEAD_NS)
        self._parts: dict[PartName, Part] = {}
        self._came_at_ns: dict[PartName, int] = {}
        self._known_from_ns: int | None = None
        self._newest_ns = 0
        self.first_offset = first_offset
        self.reports = Reports()

    def missing_from(self, part: Part) -> int | None:
        """From which instant on reports have to be read that came before ``first_offset``; None when none have.

        Those of very long ago are not asked for: a node that sends what it kept for a day would have it read all day.
        """
        start = part.batch.interval_start_ns
        is_known = self._known_from_ns is not None and start >= self._known_from_ns
        if is_known or start < self._newest_ns - _KEPT_NS:
            return None
        return start - _MARGIN_NS

    def note_earlier(self, from_ns: int, batches: Iterable[Batch]) -> None:
        """Take note of what was reported from an instant on, before ``first_offset``."""
        for batch in batches:
            self.reports.note(batch)
        self._known_from_ns = from_ns if self._known_from_ns is None else min(from_ns, self._known_from_ns)

    def add(self, part: Part, now_ns: int) -> bool:
        """Hold a part; False when it is held already."""
        batch = part.batch
        self._event_time.note(batch.interval_end_ns, now_ns)
        self.reports.note(batch)
        self._newest_ns = max(self._newest_ns, min(batch.interval_end_ns, now_ns))
        self._came_at_ns.setdefault(part.name, now_ns)
        return self._parts.setdefault(part.name, part) is part

    def is_late(self, part: Part, now_ns: int) -> bool:
        """Whether parts of the same time may have been emitted without it."""
        return self._has_passed(part, now_ns)

    def due(self, now_ns: int) -> list[Part]:
        """Parts whose time has come, in an order that depends on nothing but what they are."""
        here_since_ns = now_ns - self._grace_ns
        found = [
            part
            for name, part in self._parts.items()
            if self._came_at_ns[name] <= here_since_ns and self._has_passed(part, now_ns)
        ]
        return sorted(found, key=lambda part: (part.batch.interval_end_ns, part.name))

    def drop(self, parts: Iterable[Part]) -> None:
        """Say that they have been emitted."""
        for part in parts:
            self._parts.pop(part.name, None)
            self._came_at_ns.pop(part.name, None)
        oldest_ns = min((part.batch.interval_start_ns for part in self._parts.values()), default=self._newest_ns)
        forgotten_ns = min(oldest_ns, self._newest_ns - _KEPT_NS)
        self.reports.forget_before(forgotten_ns)
        if self._known_from_ns is not None:
            self._known_from_ns = max(self._known_from_ns, forgotten_ns)

    def offsets(self) -> Iterable[int]:
        """Offsets of the parts that are held."""
        return (part.offset for part in self._parts.values())

    def _has_passed(self, part: Part, now_ns: int) -> bool:
        return self._event_time.at(now_ns) >= part.batch.interval_end_ns + self._grace_ns
