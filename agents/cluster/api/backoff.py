"""How long to wait before something that failed is tried again."""

from typing import Final

from agents.errors import AgentError, MissingError, RightsError

_FIRST_SECONDS: Final = 0.25
_LONGEST_SECONDS: Final = 2.0
"""Short, since few ask: what comes and goes before a watch is back was never seen."""
_REFUSED_SECONDS: Final = 15.0
"""A right comes by a person's hand, and each refusal is a line in the API server's audit log."""
_MISSING_SECONDS: Final = 20.0
"""A kind comes with an installation, and its first policies right after."""


class Backoff:
    """Doubles from a quarter of a second to two seconds; begins anew after a success.

    Each pause is cut by a random share of up to a half, so that those who fail together do not come back together.
    """

    def __init__(self) -> None:
        self._next = _FIRST_SECONDS

    def next_seconds(self, error: AgentError, share: float) -> float:
        """The pause after one more failure; ``share`` is random, from 0 to 1."""
        if isinstance(error, MissingError):
            pause = _MISSING_SECONDS
        elif isinstance(error, RightsError):
            pause = _REFUSED_SECONDS
        else:
            pause, self._next = self._next, min(2 * self._next, _LONGEST_SECONDS)
        return pause * (1 - share / 2)

    def reset(self) -> None:
        """It worked."""
        self._next = _FIRST_SECONDS
