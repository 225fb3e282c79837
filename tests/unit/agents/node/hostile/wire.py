"""Packets of clients and servers, by IPv4 and IPv6, and what a capture of them must come to."""

import struct
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.unit.agents.node.attempt.packets import TCP, UDP, ipv4, ipv6
from tests.unit.agents.node.hostile.pcap import Record, render

START_US = 1_700_000_000_000_000
_STEP_US = 1_000
_CLIENTS = {4: "10.0.0.1", 6: "fd00::1"}
_SERVERS = {4: "10.0.1.2", 6: "fd00:1::2"}
_PUSH = 0x18


@dataclass(frozen=True)
class Capture:
    """Packets in their order, and what the tables must make of them."""

    packets: list[bytes]
    honest: list[tuple[Any, ...]]
    """Rows, as far as they are told, of the exchanges in which nobody was hostile."""
    malformed: int
    """What must be counted as such."""
    fields: tuple[str, ...]
    """Of the rows."""
    is_one_read: bool = False
    """Packets overtake each other, which is set right within what one read of the kernel's log brings."""

    def render(self) -> bytes:
        """A millisecond apart."""
        return render(Record(START_US + place * _STEP_US, packet) for place, packet in enumerate(self.packets))


class Line:
    """One connection, or one socket's datagrams, between a client and a server."""

    def __init__(self, port: int, server_port: int, version: int = 4) -> None:
        self._ends = ((_CLIENTS[version], port), (_SERVERS[version], server_port))
        self._render = ipv4 if version == 4 else ipv6
        self._sequences = {False: 1_000, True: 500_000}

    def datagram(self, payload: bytes, *, is_reply: bool = False) -> bytes:
        (source, source_port), (destination, destination_port) = self._order(is_reply)
        head = struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0)
        return self._render(source, destination, UDP, head + payload)

    def segment(self, payload: bytes, *, is_reply: bool = False, at: int | None = None) -> bytes:
        """The next bytes of a side, or those at a place of its stream."""
        (source, source_port), (destination, destination_port) = self._order(is_reply)
        begin = self._sequences[is_reply]
        sequence = begin if at is None else (1_000, 500_000)[is_reply] + at
        self._sequences[is_reply] = max(begin, sequence + len(payload))
        numbers = (sequence % 2**32, self._sequences[not is_reply] % 2**32)
        head = struct.pack("!HHIIBBHHH", source_port, destination_port, *numbers, 5 << 4, _PUSH, 1024, 0, 0)
        return self._render(source, destination, TCP, head + payload)

    def _order(self, is_reply: bool) -> tuple[tuple[str, int], tuple[str, int]]:
        client, server = self._ends
        return (server, client) if is_reply else (client, server)


class Lines:
    """Each with a port of its own, every other by IPv6."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._ports = count(20_000)

    def open(self) -> Line:
        port = next(self._ports)
        return Line(port, self._server_port, 4 if port % 2 else 6)
