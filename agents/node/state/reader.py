"""Takes up the state that an earlier life of this agent left, or begins a new one."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import structlog

from agents.errors import ReadError
from agents.node.state.snapshot import Snapshot, unpack_snapshot
from agents.publish.directory.reader import list_intervals, read_state

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where this life of the agent begins."""

    boot: str
    next_sequence: int
    snapshot: Snapshot | None
    """None in a first life."""
    unsent: tuple[tuple[int, int], ...]
    """Sequence and size in bytes of intervals that were kept and perhaps not sent, oldest first."""
    uncommitted: tuple[int, ...]
    """Intervals that a crash left half kept: never sent, and what they hold will be reported anew."""


def resume(node: str, directory: Path | None) -> Resumed:
    """Raises ReadError when the directory holds another node's state."""
    fresh = new_boot()
    if directory is None:
        return Resumed(fresh, 0, None, (), ())
    intervals = list_intervals(directory)
    snapshot = _read_snapshot(directory)
    if snapshot is None:
        # Without a state nothing says which were sent; sending again is harmless, losing them is not.
        return Resumed(fresh, max((sequence + 1 for sequence, _ in intervals), default=0), None, tuple(intervals), ())
    if snapshot.node != node:
        raise ReadError(
            f"state directory {directory} belongs to node {snapshot.node}, not {node}: "
            "give each agent its own (CONNTRAIL_AGENT__STATE_DIRECTORY)"
        )
    return Resumed(
        snapshot.boot,
        snapshot.next_sequence,
        snapshot,
        tuple(entry for entry in intervals if entry[0] < snapshot.next_sequence),
        tuple(sequence for sequence, _ in intervals if sequence >= snapshot.next_sequence),
    )


def new_boot() -> str:
    """A name that no other life of any agent has."""
    return secrets.token_hex(8)


def _read_snapshot(directory: Path) -> Snapshot | None:
    data = read_state(directory)
    if data is None:
        return None
    try:
        return unpack_snapshot(data)
    except ReadError as error:
        _log.error("state cannot be used; connections that live on are counted from their start", reason=str(error))
        return None
