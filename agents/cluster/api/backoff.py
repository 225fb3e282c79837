"""How long to wait before something that failed is tried again."""

from typing import Final

_FIRST_SECONDS: Final = 0.25
_LONGEST_SECONDS: Final = 2.0
"""Short, since few ask: what comes and goes before a watch is back was never seen."""


class Backoff:
    """Doubles from a quarter of a second to two seconds; begins anew after a success."""

    def __init__(self) -> None:
        self._next = _FIRST_SECONDS

    def next_seconds(self) -> float:
        """The pause after one more failure."""
        pause, self._next = self._next, min(2 * self._next, _LONGEST_SECONDS)
        return pause

    def reset(self) -> None:
        """It worked."""
        self._next = _FIRST_SECONDS
