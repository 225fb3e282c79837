"""What all messages of a log group have alike: attributes, the kernel's number and time of each.

Attribute numbers: linux/netfilter/nfnetlink_log.h.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

import numpy as np
import numpy.typing as npt

_ATTRIBUTE: Final = Struct("=HH")
_TYPE_MASK: Final = 0x3FFF
PACKET_MESSAGE: Final = 4 << 8  # NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET
ATTRIBUTES_AT: Final = 20  # struct nlmsghdr and struct nfgenmsg
TIMESTAMP, PAYLOAD, PREFIX, TRACKED, TRACKED_INFO = 3, 9, 10, 18, 19
_SEQUENCE: Final = 12
_TIME: Final = Struct("!QQ")
TIME_BYTES: Final = _TIME.size
CREDIBLE_NS: Final = 60_000_000_000
"""The kernel's time of arrival lies a little before the read; anything else is no such time."""
_Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Numbered:
    """What one datagram says of the kernel's count of messages."""

    first: int | None
    """Number of its first message, None when no message has one."""
    messages: int
    """Messages that took a number, malformed ones included."""


def walk(data: bytes, offset: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Type, start and end of each attribute's value in ``data[offset:end]``; raises ValueError on a false length."""
    while offset + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4 or offset + length > end:  # noqa: PLR2004 - the attribute's own header
            raise ValueError("attribute beyond its message")
        yield kind & _TYPE_MASK, offset + 4, offset + length
        offset += (length + 3) & ~3


def parse_number(message: bytes) -> int | None:
    """The kernel's number of this message of the group; None when it has none."""
    try:
        for kind, start, end in walk(message, ATTRIBUTES_AT, len(message)):
            if kind == _SEQUENCE:
                return int.from_bytes(message[start:end][:4], "big")
    except ValueError:
        return None
    return None


def seen_at(timestamp: bytes, received_at_ns: int) -> int | None:
    """Unix time in ns that the kernel saw the packet; None without a credible one."""
    if len(timestamp) != TIME_BYTES:
        return None
    seconds, microseconds = _TIME.unpack(timestamp)
    seen_at_ns: int = seconds * 1_000_000_000 + microseconds * 1_000
    is_credible = microseconds < 1_000_000 and 0 < received_at_ns - seen_at_ns < CREDIBLE_NS  # noqa: PLR2004 - 1 s
    return seen_at_ns if is_credible else None


def number_datagrams(
    buffer: bytearray, offsets: _Integers, lengths: _Integers, datagrams: _Integers
) -> tuple[Numbered, ...]:
    """The kernel numbers messages one by one, so the first number of a datagram tells all."""
    _, starts, counts = np.unique(datagrams, return_index=True, return_counts=True)
    found = []
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        first = None
        for place in range(start, start + count):
            offset = int(offsets[place])
            number = parse_number(bytes(buffer[offset : offset + int(lengths[place])]))
            if number is not None:
                first = number - (place - start)
                break
        found.append(Numbered(first, count))
    return tuple(found)
