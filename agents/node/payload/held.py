"""Holds answers that were read at once until their queries have been read, which the kernel holds back a little."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from agents.node.payload.packet import Packet

_MAXIMUM: Final = 1_024


class HeldPackets:
    """Packets in the order of their times."""

    def __init__(self) -> None:
        self._packets: list[Packet] = []
        self.overflowed = 0
        """Packets for which there was no room, since the start."""

    def add(self, packets: Iterable[Packet], *, is_timed: bool) -> None:
        """``is_timed``: they were waited for, so that the time of their reading is that of their passing."""
        for packet in packets:
            if len(self._packets) >= _MAXIMUM:
                self.overflowed += 1
            else:
                self._packets.append(replace(packet, has_exact_time=is_timed))

    def take(self, before_ns: int) -> list[Packet]:
        """Those that were seen before this time."""
        taken = [packet for packet in self._packets if packet.seen_at_ns < before_ns]
        self._packets = [packet for packet in self._packets if packet.seen_at_ns >= before_ns]
        return taken
