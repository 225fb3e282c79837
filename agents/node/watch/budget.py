"""Decides how often a costly look may be repeated: never more than a small share of one processor."""

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """Spaces repeated work by what it cost last time."""

    share: float
    """Of one processor's time, for example 0.02."""
    least_seconds: float
    """Pause at least, however cheap the work is."""
    _next_at: float = 0.0

    def is_due(self, now: float) -> bool:
        """``now`` in seconds of any steady clock."""
        return now >= self._next_at

    def spend(self, now: float, cost_seconds: float) -> None:
        """The work was done just now, at this cost."""
        self._next_at = now + max(self.least_seconds, cost_seconds / self.share)
