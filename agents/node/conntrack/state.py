"""How the table is kept over a restart of the agent."""

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.errors import ReadError
from agents.node.conntrack.beginning import BEGINNING, Beginning
from agents.node.conntrack.live import LIVE, Live
from agents.publish.frame import pack, unpack

_MARKER: Final = b"CTT2"
_LAYOUT: Final = zlib.crc32(f"{LIVE.descr}{BEGINNING.descr}".encode())
"""A release with other columns does not take them for its own."""


@dataclass(frozen=True, slots=True)
class TableState:
    """Everything that the next report depends on."""

    live: Live
    """Sorted by identity."""
    finished: Live
    """Ended, not reported yet."""
    beginnings: Beginning
    """Sorted by key."""
    endings: npt.NDArray[np.uint64]
    began_at_ns: int
    is_based: bool


def pack_state(state: TableState) -> bytes:
    """The state as bytes."""
    header = {"layout": _LAYOUT, "began_at_ns": state.began_at_ns, "is_based": state.is_based}
    blobs = [part.tobytes() for part in (state.live, state.finished, state.beginnings, state.endings)]
    return pack(_MARKER, header, blobs)


def unpack_state(data: bytes) -> TableState:
    """The state again. Raises ValueError when the bytes are torn or of another release."""
    try:
        header, (live, finished, beginnings, endings) = unpack(_MARKER, data)
    except ReadError as error:
        raise ValueError(f"kept connections: {error}") from error
    if header.get("layout") != _LAYOUT:
        raise ValueError("kept connections: of another release")
    return TableState(
        np.frombuffer(live, LIVE).copy(),
        np.frombuffer(finished, LIVE).copy(),
        np.frombuffer(beginnings, BEGINNING).copy(),
        np.frombuffer(endings, np.uint64).copy(),
        int(header["began_at_ns"]),
        bool(header["is_based"]),
    )
