"""Tells a kind that is gone from one that an API server does not serve for a moment."""

from typing import Final

GONE_SECONDS: Final = 60.0
"""An API server that starts has no extensions at first; a kind that is missing for longer is gone with its objects."""


class Absence:
    """Of one kind."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._is_told = False

    def begin_or_go_on(self, now: float) -> bool:
        """The kind is missing at ``now``, in seconds; return whether it is gone, once."""
        if self._since is None:
            self._since = now
        is_gone = not self._is_told and now - self._since >= GONE_SECONDS
        self._is_told |= is_gone
        return is_gone

    def end(self) -> None:
        """The kind is there, or whether it is cannot be known."""
        self._since, self._is_told = None, False
