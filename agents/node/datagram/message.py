"""Netlink messages of one length as rows of bytes, and what is read from all of them at once."""

from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]
Words = npt.NDArray[np.uint64]
V4_BYTES: Final = 4
_WORD: Final = 4
_MAPPED: Final = np.uint64(0xFFFF_0000_0000)  # RFC 4291 section 2.5.5.2


def gather(buffer: bytearray, size: int, offsets: npt.NDArray[np.int64], length: int) -> Bytes:
    """The messages at these offsets, each a row; offsets and ``length`` are of whole words, within ``size`` bytes.

    Copying words takes a quarter of copying bytes.
    """
    words = np.frombuffer(buffer, "<u4", size // _WORD)
    windows = np.lib.stride_tricks.sliding_window_view(words, length // _WORD)
    return np.ascontiguousarray(windows[offsets // _WORD]).view(np.uint8)


def column(rows: Bytes, offset: int, kind: str) -> npt.NDArray[np.unsignedinteger]:
    """The number of numpy's type ``kind`` that lies at ``offset`` in each row, read in place; not of no rows."""
    return np.ndarray(len(rows), kind, rows, offset, (rows.shape[1],))


def address(rows: Bytes, offset: int, size: int) -> tuple[Words, Words]:
    """High and low words of the addresses of ``size`` bytes at ``offset``, IPv4 ones mapped."""
    if size == V4_BYTES:
        return np.zeros(len(rows), np.uint64), column(rows, offset, ">u4").astype(np.uint64) | _MAPPED
    return column(rows, offset, ">u8").astype(np.uint64), column(rows, offset + 8, ">u8").astype(np.uint64)


class Pattern:
    """Bits that messages of one arrangement have in common."""

    def __init__(self, message: bytes, mask: Bytes) -> None:
        """Bits of ``message`` that are set in ``mask``, which is as long; a length of whole words."""
        masks, words = mask.view("<u4"), np.frombuffer(message, "<u4")
        self._checked = np.flatnonzero(masks)
        self._mask = masks[self._checked]
        self._expected = words[self._checked] & self._mask

    def fits(self, rows: Bytes) -> Flags:
        """Which messages have these bits."""
        matching: Flags = ((rows.view("<u4")[:, self._checked] & self._mask) == self._expected).all(axis=1)
        return matching


class Layout(Protocol):
    """Where the values lie in messages of one length and arrangement."""

    def fits(self, rows: Bytes) -> Flags:
        """Which messages are arranged so."""


_Known = TypeVar("_Known", bound=Layout)


class Layouts(Generic[_Known]):
    """The arrangements that were met; their number is bounded.

    Offsets differ between kernels and kinds of message; so none is known beforehand, each is learned from a message.
    """

    def __init__(self, learn: Callable[[bytes], _Known], capacity: int) -> None:
        """``learn`` raises ValueError for a message that nothing is to be learned from."""
        self._learn = learn
        self._capacity = capacity
        self._count = 0
        self._known: dict[int, list[_Known]] = {}

    def __len__(self) -> int:
        return self._count

    def sort(self, rows: Bytes) -> list[tuple[_Known, Positions]]:
        """The arrangements of these messages and where those that have it are; some may be nowhere."""
        found: list[tuple[_Known, Positions]] = []
        rest: Positions = np.arange(len(rows))
        for layout in self._known.get(rows.shape[1], ()):
            rest = _take(layout, rows, rest, found)
            if not len(rest):
                return found
        while len(rest):
            try:
                layout = self._learn(rows[rest[0]].tobytes())
            except ValueError:
                rest = rest[1:]
                continue
            if not layout.fits(rows[rest[:1]])[0]:
                rest = rest[1:]  # nothing of it can be read by what it teaches
                continue
            self._remember(rows.shape[1], layout)
            rest = _take(layout, rows, rest, found)
        return found

    def _remember(self, length: int, layout: _Known) -> None:
        if self._count < self._capacity:
            self._known.setdefault(length, []).append(layout)
            self._count += 1


def _take(layout: _Known, rows: Bytes, rest: Positions, found: list[tuple[_Known, Positions]]) -> Positions:
    """Note which of the rest fit; return those that do not."""
    fits = layout.fits(pick(rows, rest))
    if fits.any():
        found.append((layout, rest[fits]))
    return rest[~fits]


def pick(rows: Bytes, positions: Positions) -> Bytes:
    """The rows at these ascending positions; nothing is copied when they are all."""
    return rows if len(positions) == len(rows) else rows[positions]
