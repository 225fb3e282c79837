"""Counts what was lost in the current interval, by cause, and decides its coverage."""

from collections import Counter
from typing import Final

from schemas.batch import Coverage, LossCause

_OTHERS: Final[frozenset[LossCause]] = frozenset({"dns_malformed", "application_malformed"})
"""What anybody may send: it is counted, and says nothing of what this node could not see."""


class Losses:
    """Losses of the interval that is under way, and the causes that last."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lasting: set[str] = set()
        self.is_blind = False
        """Nothing of the node's connections can be seen."""

    def add(self, cause: LossCause, count: int = 1) -> None:
        """Note a loss; a count of 0 changes nothing."""
        if count > 0:
            self._counts[cause] += count

    def set_lasting(self, cause: LossCause, *, is_present: bool) -> None:
        """A cause that makes every interval lossy until it is gone."""
        if is_present:
            self._lasting.add(cause)
        else:
            self._lasting.discard(cause)

    def take(self) -> tuple[Coverage, dict[str, int]]:
        """Coverage and losses of the interval that ends; the next begins without."""
        lost = dict(self._counts) | dict.fromkeys(self._lasting, 1)
        self._counts.clear()
        if self.is_blind:
            return "blind", lost
        return ("lossy" if lost.keys() - _OTHERS else "complete"), lost
