"""Reads what an earlier life of the agent left in the state directory."""

from pathlib import Path

from agents.errors import ReadError
from agents.publish.directory.name import INTERVAL_SUFFIX, STATE_FILE, interval_name
from agents.publish.frame import unpack_interval
from agents.publish.interval import Interval


def read_state(directory: Path) -> bytes | None:
    """The state as it was written; None when there is none yet. Raises ReadError."""
    try:
        return (directory / STATE_FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReadError(f"state directory {directory}: {error.strerror}") from error


def list_intervals(directory: Path) -> list[tuple[int, int]]:
    """Sequence and size in bytes of each interval on disk, oldest first. Raises ReadError."""
    try:
        return sorted(
            (int(path.stem), path.stat().st_size)
            for path in directory.glob(f"*{INTERVAL_SUFFIX}")
            if path.stem.isascii() and path.stem.isdigit()
        )
    except OSError as error:
        raise ReadError(f"state directory {directory}: {error.strerror}") from error


def read_interval(directory: Path, sequence: int) -> Interval:
    """An interval from disk. Raises ReadError when it is gone or torn."""
    try:
        return unpack_interval((directory / interval_name(sequence)).read_bytes())
    except OSError as error:
        raise ReadError(f"state directory {directory}: interval {sequence}: {error.strerror}") from error
