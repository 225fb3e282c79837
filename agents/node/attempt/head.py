"""Heads of packets of one form, read by columns: IP without options or extension headers, then ports.

Nearly all first packets have this form; ``packet`` reads the others one by one, and is what this must agree with.
"""

from typing import Final

import numpy as np

from agents.node.attempt.columns import Attempts
from agents.node.attempt.packet import WITH_PORTS
from agents.node.datagram.message import Bytes, Flags, Words, address, column

_TCP: Final = 6
_AF_INET: Final = 2
_AF_INET6: Final = 10
_PORTS_BYTES: Final = 8
"""Both ports, and what TCP has as its sequence number."""
_V4_BYTES: Final = 20
_V4_WITHOUT_OPTIONS: Final = 0x45
_V4_FRAGMENT: Final = (0x1F, 0xFF)
_V6_BYTES: Final = 40
_V6_VERSION: Final = 0xF0
_SOURCE: Final = ("original_source", "reply_destination")
_DESTINATION: Final = ("original_destination", "reply_source")


class HeadLayout:
    """Reads packets of one family and protocol that lie at the same place in their messages."""

    def __init__(self, message: bytes, start: int, end: int, mask: Bytes) -> None:
        """Learn from the packet in ``message[start:end]``; set in ``mask`` what others must have alike.

        Raises ValueError when it has another form.
        """
        packet = message[start:end]
        self._is_v4 = packet[:1] == bytes([_V4_WITHOUT_OPTIONS])
        self._start = start
        self._bytes = _V4_BYTES if self._is_v4 else _V6_BYTES
        if len(packet) < self._bytes + _PORTS_BYTES:
            raise ValueError("too short for a plain head and ports")
        if self._is_v4:
            mask[[start, start + 9]] = 0xFF
            mask[start + 6 : start + 8] = _V4_FRAGMENT
            self._protocol = packet[9]
            is_plain = not packet[6] & _V4_FRAGMENT[0] and not packet[7]
        else:
            mask[start], mask[start + 6] = _V6_VERSION, 0xFF
            self._protocol = packet[6]
            is_plain = packet[0] >> 4 == 6  # noqa: PLR2004 - RFC 8200
        if not is_plain or self._protocol not in WITH_PORTS:
            raise ValueError("no plain head")

    def fits(self, rows: Bytes) -> Flags:
        """Which of the packets, alike by the mask, do not lie about their length."""
        is_true: Flags = self._ip_bytes(rows) >= self._bytes
        return is_true

    def read(self, rows: Bytes, attempts: Attempts) -> None:
        """Fill in what the packet tells: its ends, as both tuples have them before translation, and itself."""
        attempts["family"] = _AF_INET if self._is_v4 else _AF_INET6
        attempts["protocol"] = self._protocol
        size = 4 if self._is_v4 else 16
        ports = self._start + self._bytes
        for place, ends in enumerate((_SOURCE, _DESTINATION)):
            high, low = address(rows, ports - (2 - place) * size, size)
            port = column(rows, ports + 2 * place, ">u2")
            for end in ends:
                attempts[f"{end}_high"], attempts[f"{end}_low"], attempts[f"{end}_port"] = high, low, port
        ip_bytes = self._ip_bytes(rows)
        identification = column(rows, self._start + (4 if self._is_v4 else 2), ">u2").astype(np.uint64)
        word = ip_bytes << np.uint64(48) | identification << np.uint64(32)
        # Other protocols have a checksum there, which NAT changes.
        attempts["packet"] = word | column(rows, ports + 4, ">u4") if self._protocol == _TCP else word
        attempts["ip_bytes"] = ip_bytes

    def _ip_bytes(self, rows: Bytes) -> Words:
        if self._is_v4:
            return column(rows, self._start + 2, ">u2").astype(np.uint64)
        return column(rows, self._start + 4, ">u2").astype(np.uint64) + np.uint64(_V6_BYTES)
