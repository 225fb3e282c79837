"""Tests wait for conditions, not for times."""

import time
from collections.abc import Callable


def until(
    condition: Callable[[], bool],
    explain: Callable[[], str] = str,
    *,
    seconds: float = 120,
    pause_seconds: float = 0.01,
) -> None:
    """Return as soon as the condition holds; where it does not in that time, ``explain`` may tell why."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not come true in time; {explain()}"
        time.sleep(pause_seconds)
