"""What the files of the state directory are called."""

from typing import Final

STATE_FILE: Final = "state"
LOCK_FILE: Final = "lock"
INTERVAL_SUFFIX: Final = ".interval"


def interval_name(sequence: int) -> str:
    """File name of an interval; names sort as sequences do."""
    return f"{sequence:020d}{INTERVAL_SUFFIX}"
