"""Reads the packets that are shown for their payload from the kernel's log group."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from agents.node.conntrack.frame import frame_datagrams
from agents.node.log_group.message import PACKET_MESSAGE, number_datagrams
from agents.node.log_group.reader import Group, LogBatch, LogGroup
from agents.node.payload.packet import Packet
from agents.node.payload.parse import parse_message
from agents.node.payload.ruleset import DNS_BYTES

_SETTING: Final = "CONNTRAIL_AGENT__PAYLOAD_GROUP"
_PROMPT_SETTING: Final = "CONNTRAIL_AGENT__PROMPT_GROUP"
_FLUSH_HUNDREDTHS: Final = 1
SHOWN_AFTER_SECONDS: Final = 0.03
"""By then a packet has left the kernel's hands: that hundredth, and some on a busy machine."""


@dataclass(frozen=True, slots=True)
class PayloadBatch:
    """What one read brought, in the kernel's order."""

    packets: list[Packet]
    lost: int
    """Messages that never came, and times that the socket's buffer was too small."""
    malformed: int


class PayloadReader(LogGroup):
    """The one listener of log group ``group`` in the network namespace at ``netns`` (empty: this one)."""

    def __init__(self, netns: str, group: int, receive_buffer_bytes: int, *, is_prompt: bool = False) -> None:
        """``is_prompt``: of the group whose packets have the time of their reading."""
        setting = _PROMPT_SETTING if is_prompt else _SETTING
        super().__init__(netns, Group(group, setting, DNS_BYTES, _FLUSH_HUNDREDTHS), receive_buffer_bytes)

    def read(self) -> PayloadBatch:
        """Everything that is there now, up to a bound; never waits."""
        lost, malformed = self.lost + self.overruns, -self.refused
        packets: list[Packet] = []
        for batch in self.batches():
            malformed += self._take(batch, packets)
        return PayloadBatch(packets, self.lost + self.overruns - lost, malformed + self.refused)

    def _take(self, batch: LogBatch, packets: list[Packet]) -> int:
        """Add a batch's packets; return how many messages were malformed."""
        frames = frame_datagrams(batch.buffer, batch.room, batch.sizes)
        is_packet = frames.kinds == PACKET_MESSAGE
        order = np.argsort(frames.offsets[is_packet])
        offsets, lengths = frames.offsets[is_packet][order], frames.lengths[is_packet][order]
        self.count(number_datagrams(batch.buffer, offsets, lengths, offsets // batch.room))
        malformed = frames.malformed
        for offset, length in zip(offsets.tolist(), lengths.tolist(), strict=True):
            packet = parse_message(bytes(batch.buffer[offset : offset + length]), batch.received_at_ns)
            if packet is None:
                malformed += 1
            else:
                packets.append(packet)
        return malformed
