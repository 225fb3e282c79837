"""Remembers which connections ended lately, so that none ends twice.

The kernel tells an end again when another listener that insists on delivery missed it (nf_conntrack_ecache.c), and
dumps an entry for a moment after it has told its end.
"""

import numpy as np

from agents.node.conntrack.beginning import Beginnings
from agents.node.conntrack.entry import Entries
from agents.node.conntrack.fresh import Unknown
from agents.node.conntrack.identity import Flags, Keys, Positions, endings_of, ranks_of

_NONE: Keys = np.zeros(0, np.uint64)


class Endings:
    """The ends of this interval and of the one before."""

    def __init__(self) -> None:
        self._earlier: Keys = _NONE
        self._current: list[Keys] = []

    def add(self, entries: Entries, identities: Keys) -> None:
        """Remember these ends."""
        self._current.append(endings_of(entries, identities))

    def turn(self) -> None:
        """An interval is over."""
        self._earlier = np.concatenate([_NONE, *self._current])
        self._current.clear()

    def all(self) -> Keys:
        """Every one that is remembered."""
        return np.concatenate([self._earlier, *self._current])

    def restore(self, endings: Keys) -> None:
        """Go on from what ``all`` gave."""
        self._earlier, self._current = _NONE, [endings]

    def are_told(self, lot: Unknown, is_known: Flags, beginnings: Beginnings) -> Flags:
        """Whether the end of these was heard of.

        One that is known to live has not ended, and without times a beginning since then makes it another connection.
        """
        endings = self.all()
        if not len(endings):
            return np.zeros(len(is_known), np.bool_)
        told: Flags = np.isin(endings_of(lot.entries, lot.identities), endings) & ~is_known
        if told.any():
            told &= (lot.entries["started_at_ns"] > 0) | (beginnings.count(lot.keys) == 0)
        return told


def are_copies(entries: Entries, identities: Keys, expected: Positions) -> Flags:
    """Which of these ends were told before in the same lot.

    With times an identity ends once. Without, as often as it is ``expected`` to; what exceeds that is a copy when
    its counters are a copy too.
    """
    ranks = ranks_of(identities)
    copies: Flags = ranks > 0
    if copies.any():
        is_same = ranks_of(endings_of(entries, identities)) > 0
        copies &= (entries["started_at_ns"] > 0) | (is_same & (ranks >= expected))
    return copies
