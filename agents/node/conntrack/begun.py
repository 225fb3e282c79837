"""How many connections began beside refused ones, of one client to one dialled address and port, and were not refused.

Whether a client's connections are all refused or one of many is told by this at once, long before any window.
"""

from typing import Final

import numpy as np

from agents.node.conntrack.identity import Keys
from agents.node.report.key import mix
from agents.node.report.rows import Rows

_WATCHED_NS: Final = 120_000_000_000
"""After its last refusal: as far back as rules look."""
SETTLING_NS: Final = 100_000_000
"""What a refused connection's end is told by is read so long after it began, while the agent is not too busy."""
_MAXIMUM: Final = 4_096
"""Clients and destinations that are watched: far more than refuse at a time, unless somebody scans."""
_WORDS: Final = (
    "protocol", "zone", "original_source_high", "original_source_low", "original_destination_high",
    "original_destination_low", "original_destination_port",
)  # fmt: skip


class Begun:
    """Counts from the look after the first refusal on: that one's own look has what began before."""

    def __init__(self, seed: int) -> None:
        """``seed``: of the node, so that nobody can make keys collide."""
        self._seed = np.uint64(seed & 0xFFFF_FFFF_FFFF_FFFF)
        self._others: dict[int, int] = {}
        self._refused_at_ns: dict[int, int] = {}
        self._waiting: list[tuple[int, Keys]] = []

    def keys(self, rows: Rows) -> Keys:
        """Of the client and what it dialled, before NAT."""
        first = np.full(len(rows), self._seed, np.uint64)
        return mix(first, *(rows[field].astype(np.uint64) for field in _WORDS))

    def note_new(self, new: Rows, now_ns: int) -> None:
        """Take in what began; whether that is refused, the next look at the events tells. Called at each look."""
        if not self._others:
            return
        self._settle(now_ns)
        self._forget(now_ns)
        keys = self.keys(new)
        keys = keys[np.isin(keys, np.fromiter(self._others, np.uint64, len(self._others)))]
        if len(keys):
            self._waiting.append((now_ns, keys))

    def note_refused(self, refused: Rows, now_ns: int) -> None:
        """Take in what was refused, of all that began."""
        keys, counts = np.unique(self.keys(refused), return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            if key in self._others:
                self._others[key] -= count
            elif len(self._others) < _MAXIMUM:
                self._others[key] = 0
            else:
                continue
            self._refused_at_ns[key] = now_ns

    def take(self, keys: Keys, now_ns: int) -> list[int | None]:
        """How many others of each key began since the last time; None when it was not counted.

        A key that comes again has no more.
        """
        self._settle(now_ns)
        return [self._take(key) for key in keys.tolist()]

    def _forget(self, now_ns: int) -> None:
        """Watch no longer what has not been refused for long, or before the clock was set back."""
        for key in [key for key, at_ns in self._refused_at_ns.items() if not 0 <= now_ns - at_ns <= _WATCHED_NS]:
            del self._others[key], self._refused_at_ns[key]

    def _take(self, key: int) -> int | None:
        if key not in self._others:
            return None
        others = max(0, self._others[key])
        self._others[key] -= others
        return others

    def _settle(self, now_ns: int) -> None:
        waiting, self._waiting = self._waiting, []
        for at_ns, keys in waiting:
            if 0 <= now_ns - at_ns < SETTLING_NS:
                self._waiting.append((at_ns, keys))
                continue
            for key in keys.tolist():
                if key in self._others:
                    self._others[key] += 1
