"""Reads the node's first packets from the kernel's log group."""

from dataclasses import dataclass
from typing import Final

from agents.node.attempt.columns import ATTEMPT, Attempts
from agents.node.attempt.decode import AttemptDecoder
from agents.node.attempt.ruleset import REJECTED_HEAD_BYTES
from agents.node.log_group.reader import Group, LogGroup
from agents.node.report.rows import join

_SETTING: Final = "CONNTRAIL_AGENT__NFLOG_GROUP"
_FLUSH_HUNDREDTHS: Final = 10


@dataclass(frozen=True, slots=True)
class AttemptBatch:
    """What one read brought. ``rows`` are columns of ATTEMPT in the kernel's order."""

    rows: Attempts
    overruns: int
    """Times that the socket's buffer was too small."""
    lost: int
    """Messages that the kernel numbered and that never came."""
    malformed: int


class AttemptReader(LogGroup):
    """The one listener of log group ``group`` in the network namespace at ``netns`` (empty: this one)."""

    def __init__(self, netns: str, group: int, receive_buffer_bytes: int) -> None:
        super().__init__(netns, Group(group, _SETTING, REJECTED_HEAD_BYTES, _FLUSH_HUNDREDTHS), receive_buffer_bytes)
        self._decoder = AttemptDecoder()

    def read(self) -> AttemptBatch:
        """Everything that is there now, up to a bound; never waits."""
        overruns, lost, malformed = self.overruns, self.lost, -self.refused
        pieces: list[Attempts] = []
        for batch in self.batches():
            decoded = self._decoder.decode(batch.buffer, batch.room, batch.sizes, batch.received_at_ns)
            pieces.append(decoded.rows)
            malformed += decoded.malformed
            self.count(decoded.numbered)
        return AttemptBatch(join(pieces, ATTEMPT), self.overruns - overruns, self.lost - lost, malformed + self.refused)
