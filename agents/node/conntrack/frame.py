"""Where each netlink message lies (struct nlmsghdr, linux/netlink.h).

In a stream, messages are found by the constant words of their headers, and the chain of lengths is proven from the
first byte to the last; where that fails they are walked one by one.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.conntrack.attribute import MESSAGE_HEAD_BYTES

_LEAST_WORDS: Final = MESSAGE_HEAD_BYTES // 4
_MAXIMUM_MESSAGE_BYTES: Final = 4096
_HEADER: Final = struct.Struct("<IHH")
_KIND_MASK: Final = np.uint32(0xFFFF)
_FLAGS_SHIFT: Final = np.uint32(16)
_Integers = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Frames:
    """Messages that lie whole inside the buffer, each of whole words."""

    offsets: _Integers
    lengths: _Integers
    kinds: _Integers
    flags: _Integers
    malformed: int
    """Messages that are cut off or have an impossible length; what follows one in a stream is lost with it."""


def frame_stream(buffer: bytearray, size: int) -> Frames:
    """Messages end to end in ``buffer[:size]``, each aligned to four bytes."""
    words = np.frombuffer(buffer, "<u4", size // 4)
    if len(words) >= _LEAST_WORDS:
        for candidates in (_alike(words), _alike_but_flags(words)):
            lengths = words[candidates].astype(np.int64)
            if _is_chain(candidates * 4, lengths, size):
                return _framed(words, candidates * 4, lengths, 0)
    found, malformed = _walk(buffer, 0, size)
    offsets = np.array(found, np.int64)
    return _framed(words, offsets, words[offsets >> 2].astype(np.int64), malformed)


def frame_datagrams(buffer: bytearray, room: int, sizes: _Integers) -> Frames:
    """Datagram ``i`` at ``i * room``, a multiple of four; nearly always one message each."""
    words = np.frombuffer(buffer, "<u4", len(sizes) * room // 4)
    offsets = np.arange(len(sizes), dtype=np.int64) * room
    lengths = words[offsets >> 2].astype(np.int64)
    is_one = (lengths == sizes) & _are_possible(lengths)
    found, malformed = offsets[is_one].tolist(), 0
    for position in np.flatnonzero(~is_one).tolist():
        start = position * room
        others, faults = _walk(buffer, start, start + int(sizes[position]))
        found += others
        malformed += faults
    offsets = np.array(found, np.int64)
    return _framed(words, offsets, words[offsets >> 2].astype(np.int64), malformed)


def _alike(words: _Words) -> _Integers:
    """Word positions of headers like the first one in type, flags, sequence and port."""
    return _same_sender(words, np.flatnonzero(words[1:-3] == words[1]).astype(np.int64))


def _alike_but_flags(words: _Words) -> _Integers:
    return _same_sender(words, np.flatnonzero((words[1:-3] & _KIND_MASK) == (words[1] & _KIND_MASK)).astype(np.int64))


def _same_sender(words: _Words, candidates: _Integers) -> _Integers:
    same: _Integers = candidates[(words[candidates + 2] == words[2]) & (words[candidates + 3] == words[3])]
    return same


def _is_chain(offsets: _Integers, lengths: _Integers, size: int) -> bool:
    """Whether the messages lie end to end from the first byte to the last."""
    return bool(
        len(offsets)
        and offsets[0] == 0
        and _are_possible(lengths).all()
        and (offsets[:-1] + lengths[:-1] == offsets[1:]).all()
        and offsets[-1] + lengths[-1] == size
    )


def _are_possible(lengths: _Integers) -> npt.NDArray[np.bool_]:
    possible: npt.NDArray[np.bool_] = (
        (lengths >= MESSAGE_HEAD_BYTES) & (lengths <= _MAXIMUM_MESSAGE_BYTES) & (lengths % 4 == 0)
    )
    return possible


def _walk(buffer: bytearray, start: int, end: int) -> tuple[list[int], int]:
    """Offsets of the whole messages, and how many are not."""
    found: list[int] = []
    malformed = 0
    while start + MESSAGE_HEAD_BYTES <= end:
        length = _HEADER.unpack_from(buffer, start)[0]
        if not MESSAGE_HEAD_BYTES <= length <= min(end - start, _MAXIMUM_MESSAGE_BYTES):
            return found, malformed + 1
        if length % 4 == 0:
            found.append(start)
        else:
            malformed += 1
        start += (length + 3) & ~3
    return found, malformed + (start < end)


def _framed(words: _Words, offsets: _Integers, lengths: _Integers, malformed: int) -> Frames:
    heads = words[(offsets >> 2) + 1]
    kinds, flags = (heads & _KIND_MASK).astype(np.int64), (heads >> _FLAGS_SHIFT).astype(np.int64)
    return Frames(offsets, lengths, kinds, flags, malformed)
