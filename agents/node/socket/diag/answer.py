"""Turns sock_diag's messages into socket rows, by columns.

The fixed part (struct inet_diag_msg) and the figures (struct tcp_info, which only ever grows) are kernel interfaces;
where the attributes lie is learned from one message by a walk, and each other message of its length must have the
same attribute headers before its values are read. What fits nowhere is counted.
"""

from struct import Struct
from typing import Final

import numpy as np

from agents.node.datagram.message import Bytes, Flags, Layouts, Pattern, address, column, gather, pick
from agents.node.report.columns import SOCKET, Sockets
from agents.node.report.rows import join

SOCKET_MESSAGE: Final = 20  # SOCK_DIAG_BY_FAMILY; closing sockets come under the same number
_HEADER_BYTES: Final = 16
_FIXED_BYTES: Final = 72  # struct inet_diag_msg
_ATTRIBUTES_AT: Final = _HEADER_BYTES + _FIXED_BYTES
_ATTRIBUTE: Final = Struct("=HH")
_TYPE_MASK: Final = 0x3FFF
_TCP_INFO, _PROTOCOL, _CGROUP_ID = 2, 10, 21  # INET_DIAG_INFO, INET_DIAG_PROTOCOL, INET_DIAG_CGROUP_ID
_MAXIMUM_ATTRIBUTES: Final = 64
_AF_INET: Final = 2
_AF_INET6: Final = 10
LISTEN: Final = 10  # TCP_LISTEN, linux/net/tcp_states.h
_FIXED: Final = (("state", 17, "u1"), ("inode", 84, "<u4"))
_PORTS: Final = (("local_port", 20), ("remote_port", 22))
_ADDRESSES: Final = (("local", 24), ("remote", 40))
_FIGURES: Final = (
    ("lost", 32, "<u4"),
    ("rtt_us", 68, "<u4"),
    ("rtt_var_us", 72, "<u4"),
    ("total_retransmits", 100, "<u4"),
    ("delivery_rate", 160, "<u8"),
)
"""Offsets in struct tcp_info, linux/tcp.h."""
_LEAST_INFO_BYTES: Final = 104  # up to total_retrans; shorter ones are older than any kernel we meet
_MAXIMUM_LAYOUTS: Final = 128


class Layout:
    """Reads messages of one length and one arrangement of attributes."""

    def __init__(self, message: bytes) -> None:
        """Learn from a message. Raises ValueError when a length does not fit or the family is unknown."""
        if len(message) < _ATTRIBUTES_AT or message[_HEADER_BYTES] not in (_AF_INET, _AF_INET6):
            raise ValueError("no socket of a family that we know")
        self._is_v4 = message[_HEADER_BYTES] == _AF_INET
        mask = np.zeros(len(message), np.uint8)
        mask[_HEADER_BYTES] = 0xFF
        self._values = _find_values(message, mask)
        self._pattern = Pattern(message, mask)

    def fits(self, rows: Bytes) -> Flags:
        """Which of these messages have this arrangement."""
        return self._pattern.fits(rows)

    def read(self, rows: Bytes) -> Sockets:
        """Sockets of messages that fit; ``protocol`` is 0 where the message does not tell it."""
        sockets = np.zeros(len(rows), SOCKET)
        sockets["family"] = _AF_INET if self._is_v4 else _AF_INET6
        for name, offset, kind in _FIXED:
            sockets[name] = column(rows, offset, kind)
        for name, offset in _PORTS:
            sockets[name] = column(rows, offset, ">u2")
        for name, offset in _ADDRESSES:
            sockets[f"{name}_high"], sockets[f"{name}_low"] = address(rows, offset, 4 if self._is_v4 else 16)
        for name, (offset, kind) in self._values.items():
            sockets[name] = column(rows, offset, kind)
        # A listener's tcp_info holds its queue, not figures of a connection.
        sockets["has_figures"] = ("rtt_us" in self._values) & (sockets["state"] != LISTEN)
        for name, _, _ in _FIGURES:
            sockets[name][~sockets["has_figures"]] = 0
        return sockets


class AnswerDecoder:
    """Remembers the arrangements it has met; their number is bounded."""

    def __init__(self) -> None:
        self._layouts = Layouts(Layout, _MAXIMUM_LAYOUTS)

    def decode(self, buffer: bytearray, offsets: list[int], lengths: list[int]) -> tuple[Sockets, list[int], int]:
        """Sockets of the messages at these offsets, the index of each among them, and how many were malformed."""
        all_lengths = np.array(lengths, np.int64)
        all_offsets = np.array(offsets, np.int64)
        pieces: list[Sockets] = []
        indices: list[int] = []
        for length in np.unique(all_lengths).tolist():
            chosen = np.flatnonzero(all_lengths == length)
            if length % 4 or length < _ATTRIBUTES_AT:
                continue
            rows = gather(buffer, len(buffer), all_offsets[chosen], length)
            for layout, positions in self._layouts.sort(rows):
                pieces.append(layout.read(pick(rows, positions)))
                indices.extend(chosen[positions].tolist())
        return join(pieces, SOCKET), indices, len(offsets) - len(indices)


def _find_values(message: bytes, mask: Bytes) -> dict[str, tuple[int, str]]:
    """Offset and type of each wanted value; marks the attributes' headers in ``mask``."""
    found: dict[str, tuple[int, str]] = {}
    at = _ATTRIBUTES_AT
    for _ in range(_MAXIMUM_ATTRIBUTES):
        if at + 4 > len(message):
            return found
        size, kind = _ATTRIBUTE.unpack_from(message, at)
        if size < 4 or at + size > len(message):  # noqa: PLR2004 - the attribute's own header
            raise ValueError("attribute beyond its message")
        mask[at : at + 4] = 0xFF
        value, length = at + 4, size - 4
        kind &= _TYPE_MASK
        if kind == _TCP_INFO and length >= _LEAST_INFO_BYTES:
            found |= {
                name: (value + offset, form)
                for name, offset, form in _FIGURES
                if offset + np.dtype(form).itemsize <= length
            }
        elif kind == _CGROUP_ID and length == 8:  # noqa: PLR2004 - bytes of a u64
            found["cgroup_id"] = (value, "<u8")
        elif kind == _PROTOCOL and length == 1:
            found["protocol"] = (value, "u1")
        at += (size + 3) & ~3
    raise ValueError("too many attributes")
