"""How long to wait before something that failed is tried again."""

from typing import Final

_FIRST_SECONDS: Final = 0.25
_LONGEST_SECONDS: Final = 10.0


class Backoff:
    """Doubles from a quarter of a second to ten seconds; begins anew after a success."""

    def __init__(self) -> None:
        self._next = _FIRST_SECONDS

    def next_seconds(self) -> float:
        """The pause after one more failure."""
        pause, self._next = self._next, min(2 * self._next, _LONGEST_SECONDS)
        return pause

    def reset(self) -> None:
        """It worked."""
        self._next = _FIRST_SECONDS
