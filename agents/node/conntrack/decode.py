"""Netlink messages to entries in columns. What is malformed is counted and left out, never believed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.frame import Frames, frame_datagrams, frame_stream
from agents.node.conntrack.layout import Layout
from agents.node.datagram.message import Layouts, gather, pick
from agents.node.report.rows import join

NEW: Final = 0x0100  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW
DELETE: Final = 0x0102  # IPCTNL_MSG_CT_DELETE
_DUMP_INTERRUPTED: Final = 0x10  # NLM_F_DUMP_INTR, linux/netlink.h
_MAXIMUM_LAYOUTS: Final = 256


@dataclass(frozen=True, slots=True)
class Decoded:
    """Entries by kind of message."""

    new: Entries
    """Of a dump and of NEW events."""
    destroyed: Entries
    malformed: int
    interrupted: bool
    """A message of a dump said that the table changed meanwhile."""


class Decoder:
    """Remembers the arrangements it has met; their number is bounded."""

    def __init__(self) -> None:
        self._layouts = Layouts(Layout, _MAXIMUM_LAYOUTS)

    def decode(self, buffer: bytearray, size: int) -> Decoded:
        """``buffer[:size]`` holds netlink messages end to end, as a dump's answer does."""
        return self._decode(buffer, size, frame_stream(buffer, size))

    def decode_datagrams(self, buffer: bytearray, room: int, sizes: npt.NDArray[np.int64]) -> Decoded:
        """Datagram ``i`` has ``sizes[i]`` bytes at ``i * room``, and does not spoil the others."""
        return self._decode(buffer, len(sizes) * room, frame_datagrams(buffer, room, sizes))

    def _decode(self, buffer: bytearray, size: int, frames: Frames) -> Decoded:
        found: dict[int, list[Entries]] = {NEW: [], DELETE: []}
        malformed = frames.malformed + int(((frames.kinds != NEW) & (frames.kinds != DELETE)).sum())
        for kind, entries in found.items():
            is_kind = frames.kinds == kind
            for length in np.unique(frames.lengths[is_kind]).tolist():
                chosen = frames.offsets[is_kind & (frames.lengths == length)]
                rows = gather(buffer, size, chosen, length)
                arranged = self._layouts.sort(rows)
                entries.extend(layout.read(pick(rows, positions)) for layout, positions in arranged)
                malformed += len(rows) - sum(len(positions) for _, positions in arranged)
        interrupted = bool((frames.flags & _DUMP_INTERRUPTED).any())
        return Decoded(join(found[NEW], ENTRY), join(found[DELETE], ENTRY), malformed, interrupted)
