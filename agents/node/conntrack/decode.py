"""Netlink messages, one behind the other in a buffer, to entries in columns.

Messages are found by the constant words of their headers and the chain of lengths is proven; where that fails they
are walked one by one. What is malformed is counted and left out, never believed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.attribute import MESSAGE_HEAD_BYTES, MalformedError
from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.layout import Layout

NEW: Final = 0x0100  # NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW
DELETE: Final = 0x0102  # IPCTNL_MSG_CT_DELETE
_MAXIMUM_LAYOUTS: Final = 256
_MAXIMUM_MESSAGE_BYTES: Final = 4096
_Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Entries by kind of message."""

    new: Entries
    """Of a dump and of NEW events."""
    destroyed: Entries
    malformed: int


class Decoder:
    """Remembers the arrangements it has met; their number is bounded."""

    def __init__(self) -> None:
        self._layouts: dict[int, list[Layout]] = {}
        self._count = 0

    def decode(self, buffer: bytearray, size: int) -> Decoded:
        """``buffer[:size]`` holds whole netlink messages, each aligned to four bytes."""
        offsets, lengths, kinds, malformed = _frame(buffer, size)
        found: dict[int, list[Entries]] = {NEW: [], DELETE: []}
        data = np.frombuffer(buffer, np.uint8, size)
        for kind, entries in found.items():
            is_kind = kinds == kind
            for length in np.unique(lengths[is_kind]).tolist():
                chosen = offsets[is_kind & (lengths == length)]
                decoded, faults = self._decode_rows(_rows(data, chosen, length))
                entries.extend(decoded)
                malformed += faults
        return Decoded(_joined(found[NEW]), _joined(found[DELETE]), malformed)

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


def _rows(data: npt.NDArray[np.uint8], offsets: _Integers, length: int) -> npt.NDArray[np.uint8]:
    """The messages at these offsets, each a row of whole words."""
    windows = np.lib.stride_tricks.sliding_window_view(data, length)
    return np.ascontiguousarray(windows[offsets])


def _joined(parts: list[Entries]) -> Entries:
    return np.concatenate(parts) if parts else np.zeros(0, ENTRY)


def _frame(buffer: bytearray, size: int) -> tuple[_Integers, _Integers, _Integers, int]:
    """Offset, length and type of each message, and how many were cut off or impossible."""
    words = np.frombuffer(buffer, "<u4", size // 4)
    if len(words) >= MESSAGE_HEAD_BYTES // 4:
        candidates = np.flatnonzero(words[1:] == words[1]).astype(np.int64)
        lengths = words[candidates].astype(np.int64)
        if _is_chain(candidates * 4, lengths, size):
            return candidates * 4, lengths, np.full(len(candidates), int(words[1]) & 0xFFFF, np.int64), 0
    return _walk(buffer, size)


def _is_chain(offsets: _Integers, lengths: _Integers, size: int) -> bool:
    """Whether the messages lie end to end from the first byte to the last."""
    return bool(
        len(offsets)
        and offsets[0] == 0
        and (lengths >= MESSAGE_HEAD_BYTES).all()
        and (lengths % 4 == 0).all()
        and (offsets[:-1] + lengths[:-1] == offsets[1:]).all()
        and offsets[-1] + lengths[-1] == size
    )


def _walk(buffer: bytearray, size: int) -> tuple[_Integers, _Integers, _Integers, int]:
    offsets: list[int] = []
    lengths: list[int] = []
    kinds: list[int] = []
    position = malformed = 0
    while position + MESSAGE_HEAD_BYTES <= size:
        length = int.from_bytes(buffer[position : position + 4], "little")
        if not MESSAGE_HEAD_BYTES <= length <= min(size - position, _MAXIMUM_MESSAGE_BYTES):
            return _integers(offsets), _integers(lengths), _integers(kinds), malformed + 1
        if length % 4 == 0:
            offsets.append(position)
            lengths.append(length)
            kinds.append(int.from_bytes(buffer[position + 4 : position + 6], "little"))
        else:
            malformed += 1
        position += (length + 3) & ~3
    return _integers(offsets), _integers(lengths), _integers(kinds), malformed + (position < size)


def _integers(values: list[int]) -> _Integers:
    return np.array(values, np.int64)
