"""Reads the sample of answers that are made on the node, at once; goes without it where its log group is not to be had.

Nothing but the latency of such answers needs it: without the sample they are shown with all others.
"""

from typing import Final

import structlog

from agents.errors import AgentError
from agents.node.capability.record import Capability
from agents.node.payload.held import HeldPackets
from agents.node.payload.packet import Packet
from agents.node.payload.reader import PayloadBatch, PayloadReader

_NOTHING: Final = PayloadBatch([], 0, 0)
_log = structlog.get_logger()


class PromptWatch:
    """Inert until ``start``."""

    def __init__(self, reader: PayloadReader) -> None:
        self._reader = reader
        self._held = HeldPackets()
        self._fault = "not started"

    @property
    def is_listening(self) -> bool:
        """The group is ours: the rules may show answers in it."""
        return not self._fault

    @property
    def overflowed(self) -> int:
        """Packets for which there was no room, since the start."""
        return self._held.overflowed

    def start(self) -> bool:
        """Bind the group, where it is free; tell whether it is ours now."""
        try:
            self._reader.start()
        except AgentError as error:
            self._fail(error)
            return False
        self._fault = ""
        return True

    def capability(self) -> Capability:
        """Whether those answers have a latency."""
        return Capability("dns_times", "missing" if self._fault else "ok", self._fault)

    def filenos(self) -> list[int]:
        """Descriptors of what is to be read at once."""
        return [] if self._fault else [self._reader.fileno()]

    def read(self, *, was_waited_for: bool) -> PayloadBatch:
        """Hold what is there; only what was waited for has the time of now. When it fails, nobody listens any more."""
        if self._fault:
            return _NOTHING
        try:
            batch = self._reader.read()
        except AgentError as error:
            self._fail(error)
            return _NOTHING
        self._held.add(batch.packets, is_timed=was_waited_for)
        return batch

    def take(self, before_ns: int) -> list[Packet]:
        """What was seen before this time."""
        return self._held.take(before_ns)

    def close(self) -> None:
        """Let go of the group."""
        self._reader.close()
        self._fault = "not started"

    def _fail(self, error: AgentError) -> None:
        if str(error) != self._fault:
            _log.warning("DNS answers that are made here are seen without their latency", reason=str(error))
        self._reader.close()
        self._fault = str(error)
