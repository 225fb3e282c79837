"""What holds for a key at an instant, for columns of keys and instants."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
NONE = -1
"""Stands for no key and for no value."""


class Timeline:
    """Values by key and half-open interval [start, end), Unix time in ns; the intervals of one key do not overlap."""

    def __init__(self, keys: Numbers, starts: Numbers, ends: Numbers, values: Numbers) -> None:
        """Keys are numbers from 0, dense or nearly so; the rows come in any order."""
        order = np.lexsort((starts, keys))
        self._starts, self._ends, self._values = starts[order], ends[order], values[order]
        self._counts = np.bincount(keys, minlength=1) if len(keys) else np.zeros(1, np.int64)
        self._first = np.concatenate(([0], np.cumsum(self._counts)[:-1]))
        self._most = int(self._counts.max())

    def find(self, keys: Numbers, at_ns: Numbers, early_ns: int) -> Numbers:
        """The value of each key at its instant, else of what begins at most ``early_ns`` later, else NONE."""
        found = np.full(len(keys), NONE, np.int64)
        rows = np.flatnonzero((keys >= 0) & (keys < len(self._counts)))
        rows = rows[self._counts[keys[rows]] > 0]
        if len(rows):
            found[rows] = self._find(keys[rows], at_ns[rows], early_ns)
        return found

    def _find(self, keys: Numbers, at_ns: Numbers, early_ns: int) -> Numbers:
        place = self._latest(keys, at_ns)
        found = self._values[place]
        free = np.flatnonzero((at_ns < self._starts[place]) | (at_ns >= self._ends[place]))
        if len(free):
            found[free] = self._next(keys[free], place[free], at_ns[free], early_ns)
        return found

    def _latest(self, keys: Numbers, at_ns: Numbers) -> Numbers:
        """Place of the last interval that has begun, or of the first one, by bisection of all rows at once."""
        low = self._first[keys]
        several = np.flatnonzero(self._counts[keys] > 1)
        at_ns, begin = at_ns[several], low[several]
        end = begin + self._counts[keys[several]]
        for _ in range((self._most - 1).bit_length()):
            middle = (begin + end) // 2
            has_begun = self._starts[middle] <= at_ns
            is_open = end - begin > 1
            begin, end = np.where(is_open & has_begun, middle, begin), np.where(is_open & ~has_begun, middle, end)
        low[several] = begin
        return low

    def _next(self, keys: Numbers, place: Numbers, at_ns: Numbers, early_ns: int) -> Numbers:
        """What begins soon. Before the first interval ``place`` is that one; else it is the one that ended."""
        last = self._first[keys] + self._counts[keys] - 1
        following = np.where(self._starts[place] <= at_ns, np.minimum(place + 1, last), place)
        is_soon = (self._starts[following] > at_ns) & (self._starts[following] - at_ns <= early_ns)
        return np.where(is_soon, self._values[following], NONE)
