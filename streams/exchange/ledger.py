"""Which parts of one partition are held, which are due, and what nodes have reported.

A part waits until event time has passed its interval's end by the grace, and until it has been here for the grace by
the clock: by then the metadata of its time is there, also where all nodes send at once what they kept while Kafka was
away. It waits on, three times as long, for every other node that has reported and not yet beyond the part's last
exchange, which may be later than its interval where an agent was late: that node's report of the same exchanges would
be counted beside it. A node that is not waited for any longer is waited for
again when it has reported. What is emitted is final: nothing is emitted twice, so a report that comes later than that,
or that is a node's first, is too late to keep its echo from being counted.
"""

from collections.abc import Iterable
from heapq import nsmallest

from schemas.batch import Batch
from streams.exchange.report import Reports, seen_from_ns
from streams.source.event_time import EventTime
from streams.source.part import Part, PartName

_KEPT_NS = 2 * 3600 * 10**9
"""Twice the retention of the topic: nothing can ask for older reports."""
_MARGIN_NS = 600 * 10**9
"""What is read again at once, so that a late part does not make the next one read again."""
_AHEAD_NS = 10 * 10**9
"""A node's clock that is ahead by more does not move event time."""
_PATIENCE_GRACES = 3
"""Beyond the grace: what a crowded node is late by, and not yet what an operator waits for in vain."""


class Ledger:
    """The parts of one partition. Not thread-safe. Times are Unix, ns."""

    def __init__(self, grace_ns: int, first_offset: int) -> None:
        """``first_offset``: from there on every part is added; what came before is noted when a part needs it."""
        self._grace_ns = grace_ns
        self._event_time = EventTime(grace_ns, _AHEAD_NS)
        self._parts: dict[PartName, Part] = {}
        self._came_at_ns: dict[PartName, int] = {}
        self._wanted_until_ns: dict[PartName, int] = {}
        """Until when others must have reported: beyond the part's last exchange, at least to its interval's end."""
        self._reported_until_ns: dict[str, int] = {}
        self._emitted_until_ns = 0
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
            self._note_report(batch)
        self._known_from_ns = from_ns if self._known_from_ns is None else min(from_ns, self._known_from_ns)

    def add(self, part: Part, now_ns: int) -> bool:
        """Hold a part; False when it is held already."""
        batch = part.batch
        self._event_time.note(batch.interval_end_ns, now_ns)
        self._note_report(batch)
        self._newest_ns = max(self._newest_ns, min(batch.interval_end_ns, now_ns))
        self._came_at_ns.setdefault(part.name, now_ns)
        self._wanted_until_ns.setdefault(part.name, _wanted_until_ns(part))
        return self._parts.setdefault(part.name, part) is part

    def is_late(self, part: Part) -> bool:
        """Whether parts of the same time were emitted without knowing of it; to be asked before it is added."""
        batch = part.batch
        is_told = self._reported_until_ns.get(batch.node, 0) >= batch.interval_end_ns
        return seen_from_ns(batch) < self._emitted_until_ns and not is_told

    def due(self, now_ns: int) -> list[Part]:
        """Parts whose time has come, in an order that depends on nothing but what they are."""
        slowest = nsmallest(2, ((until_ns, node) for node, until_ns in self._reported_until_ns.items()))
        found = [part for part in self._parts.values() if self._is_due(part, now_ns, slowest)]
        return sorted(found, key=lambda part: (part.batch.interval_end_ns, part.name))

    def drop(self, parts: Iterable[Part]) -> None:
        """Say that they have been emitted, and wait no more for nodes that did not report in time for them."""
        for part in parts:
            self._parts.pop(part.name, None)
            self._came_at_ns.pop(part.name, None)
            self._wanted_until_ns.pop(part.name, None)
            self._emitted_until_ns = max(self._emitted_until_ns, part.batch.interval_end_ns)
        waited_for = self._reported_until_ns.items()
        self._reported_until_ns = {node: until for node, until in waited_for if until >= self._emitted_until_ns}
        oldest_ns = min((part.batch.interval_start_ns for part in self._parts.values()), default=self._newest_ns)
        forgotten_ns = min(oldest_ns, self._newest_ns - _KEPT_NS)
        self.reports.forget_before(forgotten_ns)
        if self._known_from_ns is not None:
            self._known_from_ns = max(self._known_from_ns, forgotten_ns)

    def offsets(self) -> Iterable[int]:
        """Offsets of the parts that are held."""
        return (part.offset for part in self._parts.values())

    def _note_report(self, batch: Batch) -> None:
        self.reports.note(batch)
        known = self._reported_until_ns.get(batch.node, 0)
        self._reported_until_ns[batch.node] = max(known, batch.interval_end_ns)

    def _is_due(self, part: Part, now_ns: int, slowest: Iterable[tuple[int, str]]) -> bool:
        """``slowest``: until when the two nodes have reported that are behind all others."""
        end_ns, node = part.batch.interval_end_ns, part.batch.node
        here_ns = now_ns - self._came_at_ns[part.name]
        if here_ns < self._grace_ns or self._event_time.at(now_ns) < end_ns + self._grace_ns:
            return False
        has_all = all(until_ns >= self._wanted_until_ns[part.name] for until_ns, other in slowest if other != node)
        return has_all or here_ns >= (1 + _PATIENCE_GRACES) * self._grace_ns


def _wanted_until_ns(part: Part) -> int:
    """A wrong clock is believed as far as it moves event time."""
    end_ns = part.batch.interval_end_ns
    seen = part.rows["last_seen_at_ns"].max() if part.rows.height else None
    return max(end_ns, min(seen + 1, end_ns + _AHEAD_NS)) if isinstance(seen, int) else end_ns
