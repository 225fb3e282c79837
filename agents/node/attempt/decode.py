"""Log messages to attempt rows: those of one arrangement together, those that are odd or few one by one."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.node.attempt.columns import ATTEMPT, Attempts
from agents.node.attempt.layout import Layout
from agents.node.attempt.parse import parse_message
from agents.node.conntrack.frame import frame_datagrams
from agents.node.datagram.message import Layouts, gather, pick
from agents.node.log_group.message import PACKET_MESSAGE, Numbered, number_datagrams
from agents.node.report.rows import choose, replace

_MAXIMUM_LAYOUTS: Final = 256
_FEW: Final = 6
"""Messages of one length, from which on reading by columns costs less."""

_Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the datagrams held."""

    rows: Attempts
    """In the order in which the kernel logged them."""
    malformed: int
    numbered: tuple[Numbered, ...]
    """One for each datagram with messages."""


class AttemptDecoder:
    """Remembers the arrangements it has met."""

    def __init__(self) -> None:
        self._layouts = Layouts(Layout, _MAXIMUM_LAYOUTS)

    def decode(self, buffer: bytearray, room: int, sizes: _Integers, received_at_ns: int) -> Decoded:
        """Datagram ``i`` has ``sizes[i]`` bytes at ``i * room``; all were received at ``received_at_ns``."""
        frames = frame_datagrams(buffer, room, sizes)
        is_packet = frames.kinds == PACKET_MESSAGE
        order = np.argsort(frames.offsets[is_packet])
        offsets, lengths = frames.offsets[is_packet][order], frames.lengths[is_packet][order]
        rows = np.zeros(len(offsets), ATTEMPT)
        is_read = np.zeros(len(offsets), np.bool_)
        for length in np.unique(lengths).tolist():
            places = np.flatnonzero(lengths == length)
            if len(places) >= _FEW:
                messages = gather(buffer, len(sizes) * room, offsets[places], length)
                for layout, fitting in self._layouts.sort(messages):
                    replace(rows, places[fitting], layout.read(pick(messages, fitting), received_at_ns))
                    is_read[places[fitting]] = True
        for place in np.flatnonzero(~is_read).tolist():
            offset = int(offsets[place])
            row = parse_message(bytes(buffer[offset : offset + int(lengths[place])]), received_at_ns)
            if row is not None:
                rows[place], is_read[place] = row, True
        malformed = frames.malformed + int((~is_read).sum())
        return Decoded(choose(rows, is_read), malformed, number_datagrams(buffer, offsets, lengths, offsets // room))
