"""Connections that a NEW event announced and that neither a dump nor an end has shown yet."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.entry import Entries
from agents.node.conntrack.identity import Flags, Keys, Positions, keys_of, ranks_of
from agents.node.report.columns import TUPLES
from agents.node.report.rows import choose, join

BEGINNING: Final = np.dtype(
    [("key", "u8"), *TUPLES, ("status", "u4"), ("tcp_state", "u1"), ("seen_at_ns", "i8"), ("absences", "u1")]
)
Beginning = npt.NDArray[np.void]
_COPIED: Final = (*(name for name, _ in TUPLES), "status", "tcp_state")


class Beginnings:
    """Sorted by key, then by time. What exceeds the capacity is left out, which costs a start's exact instant only."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._known: Beginning = np.zeros(0, BEGINNING)
        self._added: list[Beginning] = []
        self._count = 0

    def add(self, entries: Entries, now_ns: int) -> None:
        """Take in NEW events."""
        entries = entries[: max(self._capacity - self._count, 0)]
        if not len(entries):
            return
        added = np.zeros(len(entries), BEGINNING)
        for name in _COPIED:
            added[name] = entries[name]
        keys = keys_of(entries)
        added["key"], added["seen_at_ns"] = keys, now_ns + ranks_of(keys)
        self._added.append(added)
        self._count += len(added)

    def all(self) -> Beginning:
        """Every one, sorted."""
        if self._added:
            known = join([self._known, *self._added], BEGINNING)
            self._set(choose(known, np.argsort(known["key"], kind="stable")))
        return self._known

    def restore(self, known: Beginning) -> None:
        """Go on from what ``all`` gave."""
        self._set(known)

    def count(self, keys: Keys) -> Positions:
        """How many beginnings of each key are waiting."""
        known = self.all()["key"]
        return np.searchsorted(known, keys, side="right") - np.searchsorted(known, keys)

    def instants(self, keys: Keys, otherwise_ns: npt.NDArray[np.int64], nth: Positions) -> npt.NDArray[np.int64]:
        """When the n-th beginning of each key was heard of; what is beyond the last is told apart by nanoseconds."""
        known = self.all()
        counts = self.count(keys)
        if not counts.any():
            return otherwise_ns + nth
        last = np.maximum(counts - 1, 0)
        positions = np.minimum(np.searchsorted(known["key"], keys) + np.minimum(nth, last), len(known) - 1)
        return np.where(counts > 0, known["seen_at_ns"][positions], otherwise_ns) + np.maximum(nth - last, 0)

    def drop_ended(self, keys: Keys) -> None:
        """Each end answers the oldest beginning of its key."""
        known = self.all()
        if not len(known) or not len(keys):
            return
        ended, counts = np.unique(keys, return_counts=True)
        positions = np.minimum(np.searchsorted(ended, known["key"]), len(ended) - 1)
        answered = np.where(ended[positions] == known["key"], counts[positions], 0)
        ranks = np.arange(len(known)) - np.searchsorted(known["key"], known["key"])
        self._set(choose(known, ranks >= answered))

    def drop_shown(self, keys: Keys) -> Beginning:
        """Forget those that a dump shows; return, and forget, those that two dumps in a row have not shown."""
        known = self.all()
        waiting = choose(known, ~np.isin(known["key"], keys))
        waiting["absences"] += 1
        is_gone: Flags = waiting["absences"] > 1
        self._set(choose(waiting, ~is_gone))
        return choose(waiting, is_gone)

    def _set(self, known: Beginning) -> None:
        self._known, self._count = known, len(known)
        self._added.clear()
