"""Which workload pairs have met on which port, and until when that was new. Pure; a bounded number is remembered.

New is the whole window in which a pair first met: that stays true for flows of it that come later or again.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from streams.index.document import Record


@dataclass(frozen=True, slots=True)
class Meeting:
    """One pair."""

    edge: str
    until_ns: int
    """End of the window in which it first met, Unix time."""


class EdgeBook:
    """Remembers pairs by what was seen of them last; beyond the limit the longest unseen one is forgotten."""

    def __init__(self, limit: int, window_ns: int) -> None:
        self.limit = limit
        self._window_ns = window_ns
        self._until: OrderedDict[str, int] = OrderedDict()
        self._fresh: dict[str, int] = {}
        self._forgotten = 0

    def is_new(self, edge: str, at_ns: int) -> bool:
        """Whether a flow of a step that ends then is of the pair's first window; notes the pair."""
        window_end = -(-at_ns // self._window_ns) * self._window_ns
        known = self._until.get(edge)
        if known is None or window_end < known:
            self._fresh[edge] = window_end
            self._remember(edge, window_end)
            return True
        self._until.move_to_end(edge)
        return at_ns <= known

    def learn(self, meetings: Iterable[Meeting]) -> None:
        """Take what is kept elsewhere, the earlier of two words on a pair."""
        for meeting in meetings:
            known = self._until.get(meeting.edge)
            if known is None or meeting.until_ns < known:
                self._remember(meeting.edge, meeting.until_ns)

    def take_fresh(self) -> list[Meeting]:
        """What is to be kept elsewhere since the last call."""
        fresh, self._fresh = self._fresh, {}
        return [Meeting(edge, until_ns) for edge, until_ns in fresh.items()]

    def take_forgotten(self) -> int:
        """How many were forgotten since the last call."""
        forgotten, self._forgotten = self._forgotten, 0
        return forgotten

    def _remember(self, edge: str, until_ns: int) -> None:
        self._until[edge] = until_ns
        self._until.move_to_end(edge)
        if len(self._until) > self.limit:
            self._until.popitem(last=False)
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
