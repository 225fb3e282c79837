"""Netlink messages to entries in columns. What is malformed is counted and left out, never believed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.attribute import MalformedError
from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.frame import Frames, frame_datagrams, frame_stream
from agents.node.conntrack.layout import Layout
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
        self._layouts: dict[int, list[Layout]] = {}
        self._count = 0

    def decode(self, buffer: bytearray, size: int) -> Decoded:
        """``buffer[:size]`` holds netlink messages end to end, as a dump's answer does."""
        return self._decode(buffer, size, frame_stream(buffer, size))

    def decode_datagrams(self, buffer: bytearray, room: int, sizes: npt.NDArray[np.int64]) -> Decoded:
        """Datagram ``i`` has ``sizes[i]`` bytes at ``i * room``, and does not spoil the others."""
        return self._decode(buffer, len(sizes) * room, frame_datagrams(buffer, room, sizes))

    def _decode(self, buffer: bytearray, size: int, frames: Frames) -> Decoded:
        found: dict[int, list[Entries]] = {NEW: [], DELETE: []}
        data = np.frombuffer(buffer, "<u4", size // 4)
        malformed = frames.malformed + int(((frames.kinds != NEW) & (frames.kinds != DELETE)).sum())
        for kind, entries in found.items():
            is_kind = frames.kinds == kind
            for length in np.unique(frames.lengths[is_kind]).tolist():
                chosen = frames.offsets[is_kind & (frames.lengths == length)]
                decoded, faults = self._decode_rows(_rows(data, chosen, length))
                entries.extend(decoded)
                malformed += faults
        interrupted = bool((frames.flags & _DUMP_INTERRUPTED).any())
        return Decoded(join(found[NEW], ENTRY), join(found[DELETE], ENTRY), malformed, interrupted)

    def _decode_rows(self, rows: npt.NDArray[np.uint8]) -> tuple[list[Entries], int]:
        """Messages of one length."""
        length = rows.shape[1]
        found, malformed = [], 0
        for layout in self._layouts.get(length, ()):
            if not len(rows):
                break
            fits = layout.fits(rows.view("<u4"))
            if fits.any():
                found.append(layout.read(rows[fits]))
                rows = rows[~fits]
        while len(rows):
            try:
                layout = Layout(rows[0].tobytes())
            except MalformedError:
                rows = rows[1:]
                malformed += 1
                continue
            self._remember(length, layout)
            fits = layout.fits(rows.view("<u4"))
            found.append(layout.read(rows[fits]))
            rows = rows[~fits]
        return found, malformed

    def _remember(self, length: int, layout: Layout) -> None:
        if self._count < _MAXIMUM_LAYOUTS:
            self._layouts.setdefault(length, []).append(layout)
            self._count += 1


def _rows(data: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.uint8]:
    """The messages at these offsets, each a row of whole words: copying words takes a quarter of copying bytes."""
    windows = np.lib.stride_tricks.sliding_window_view(data, length // 4)
    return np.ascontiguousarray(windows[offsets >> 2]).view(np.uint8)
