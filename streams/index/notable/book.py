"""Which workload pairs have met on which port, and until when that was new. Pure; a bounded number is remembered.

New is the whole window in which a pair first met: that stays true for flows of it that come later or again.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from streams.index.document import Record

_NOTES_AT_A_TIME: Final = 4
"""Of a pair that goes on meeting: one a day would make a worker read a month of them whenever it starts."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One pair."""

    edge: str
    until_ns: int
    """End of the window in which it first met, Unix time."""
    noted_ns: int
    """When it was last seen as a note of it was made, Unix time."""

    def joined(self, other: "Meeting | None") -> "Meeting":
        """Both words on a pair: it met when the earlier says, and was seen when the later does."""
        if other is None:
            return self
        return Meeting(self.edge, min(self.until_ns, other.until_ns), max(self.noted_ns, other.noted_ns))


class EdgeBook:
    """Remembers pairs by what was seen of them last; beyond the limit the longest unseen one is forgotten."""

    def __init__(self, limit: int, window_ns: int, kept_ns: int) -> None:
        """``kept_ns``: for how long notes are kept elsewhere."""
        self.limit = limit
        self._window_ns = window_ns
        self._renewed_ns = kept_ns // _NOTES_AT_A_TIME
        self._met: OrderedDict[str, Meeting] = OrderedDict()
        self._fresh: dict[str, Meeting] = {}
        self._forgotten = 0

    def is_new(self, edge: str, at_ns: int) -> bool:
        """Whether a flow of a step that ends then is of the pair's first window; notes the pair."""
        window_end = -(-at_ns // self._window_ns) * self._window_ns
        known = self._met.get(edge)
        if known is None or window_end < known.until_ns:
            noted_ns = window_end if known is None else known.noted_ns
            self._note(Meeting(edge, window_end, noted_ns))
            return True
        if at_ns - known.noted_ns >= self._renewed_ns:
            self._note(replace(known, noted_ns=at_ns))
        else:
            self._met.move_to_end(edge)
        return at_ns <= known.until_ns

    def learn(self, meetings: Iterable[Meeting]) -> None:
        """Take what is kept elsewhere."""
        for meeting in meetings:
            known = self._met.get(meeting.edge)
            both = meeting.joined(known)
            if both != known:
                self._remember(both)

    def take_fresh(self) -> list[Meeting]:
        """What is to be kept elsewhere since the last call."""
        fresh, self._fresh = self._fresh, {}
        return list(fresh.values())

    def take_forgotten(self) -> int:
        """How many were forgotten since the last call."""
        forgotten, self._forgotten = self._forgotten, 0
        return forgotten

    def _note(self, meeting: Meeting) -> None:
        self._fresh[meeting.edge] = meeting
        self._remember(meeting)

    def _remember(self, meeting: Meeting) -> None:
        self._met[meeting.edge] = meeting
        self._met.move_to_end(meeting.edge)
        if len(self._met) > self.limit:
            self._met.popitem(last=False)
            self._forgotten += 1


def edge_of(record: Record) -> str:
    """Both workloads, transport and port of a Flow; an end without a workload is its node, or nobody."""
    destination = record["destination"]
    ends = (_end(record["source"]), _end(destination))
    return "|".join((record["cluster"], *ends, record["network"]["transport"], str(destination["port"] or 0)))


def _end(end: Record) -> str:
    kubernetes = end["kubernetes"]
    if kubernetes is None:
        return ""
    workload = kubernetes["workload"]
    if workload:
        return "/".join((workload["kind"], kubernetes["namespace"] or "", workload["name"]))
    return (kubernetes["node"] or {}).get("name") or ""
