"""Keeps the table of connections in step with the kernel: events in between, a dump at each interval's end.

An overrun is counted and mended by a dump; a socket that fails is opened anew.
"""

import time
from dataclasses import dataclass

import numpy as np
import structlog

from agents.errors import AgentError
from agents.node.capability.record import Capability
from agents.node.conntrack.entry import ENTRY, Entries
from agents.node.conntrack.reader import ConntrackReader
from agents.node.conntrack.refusal import Refusals
from agents.node.conntrack.table import ConnectionTable
from agents.node.interval.loss import Losses
from agents.node.metrics import NodeMetrics
from agents.node.report.columns import Reports
from agents.node.report.rows import join

_RETRY_SECONDS = 30.0
_GATHER_NS = 10**9
_PRESSED_SHARE = 1 / 8
"""Of the receive buffer; by default 1,600 events in the kernel's accounting."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Drained:
    """What one look at the events brought."""

    new: Entries
    is_overrun: bool


class ConnectionWatch:
    """Conntrack of the node's network namespace. Inert until ``start``."""

    def __init__(self, reader: ConntrackReader, table: ConnectionTable, losses: Losses, metrics: NodeMetrics) -> None:
        self._reader = reader
        self._table = table
        self._losses = losses
        self._metrics = metrics
        self._fault = ""
        self._dump_fault = ""
        self.is_listening = False
        """Events are heard: what begins and ends between two dumps is not missed."""
        self.refusals: Refusals | None = None
        """Who wants to know at once which connections were refused."""
        self._retry_at = 0.0
        self._destroyed: list[Entries] = []
        self._destroyed_at_ns = 0

    def start(self) -> None:
        """Listen; when that fails it is tried again now and then."""
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        try:
            self._reader.start()
        except AgentError as error:
            self._fault = str(error)
        else:
            self._fault = ""
            self.is_listening = True
        self._losses.set_lasting("no_events", is_present=not self.is_listening)

    def capabilities(self) -> list[Capability]:
        """What can be seen of connections."""
        return [
            _capability("conntrack_dump", self._dump_fault),
            _capability("conntrack_events", self._fault),
        ]

    def filenos(self) -> list[int]:
        """Descriptors that become readable when there are events."""
        return [self._reader.fileno()] if self.is_listening else []

    def is_pressed(self) -> bool:
        """Whether events should be read now, before the buffer overruns."""
        try:
            return self.is_listening and self._reader.queued_share() > _PRESSED_SHARE
        except AgentError:  # reading will tell what is wrong
            return True

    def drain(self, now_ns: int) -> Drained:
        """Read the events that are there and apply them."""
        if not self.is_listening:
            if time.monotonic() >= self._retry_at:
                self.start()
            return Drained(np.zeros(0, ENTRY), is_overrun=False)
        try:
            events = self._reader.read_events()
        except AgentError as error:
            _log.error("conntrack events failed", reason=str(error))
            self._losses.add("conntrack_failures")
            self._close()
            return Drained(np.zeros(0, ENTRY), is_overrun=True)
        self._table.apply_new(events.new, now_ns)
        self._gather(events.destroyed, now_ns)
        if self.refusals is not None:
            self.refusals.note_new(events.new, now_ns)
            if len(events.destroyed):
                self.refusals.note(events.destroyed, now_ns)
        self._losses.add("conntrack_overruns", events.overruns)
        self._losses.add("conntrack_malformed", events.malformed)
        self._metrics.events.labels("new").inc(len(events.new))
        self._metrics.events.labels("destroyed").inc(len(events.destroyed))
        return Drained(events.new, is_overrun=events.overruns > 0)

    def reconcile(self) -> Entries | None:
        """Compare the table with the kernel's; return all entries, None when they could not be had."""
        try:
            dump = self._reader.dump()
        except AgentError as error:
            if str(error) != self._dump_fault:
                _log.error("conntrack dump failed", reason=str(error))
            self._dump_fault = str(error)
            self._losses.add("dump_failures")
        else:
            self._dump_fault = ""
            self._apply_destroyed()
            self._table.apply_dump(dump.entries, time.time_ns())
            self._losses.add("conntrack_malformed", dump.malformed)
            # No loss: totals are compared, so the next dump makes up for what this one left out.
            self._metrics.interrupted.inc(int(dump.interrupted))
            self._metrics.dumped.set(len(dump.entries))
        self._losses.is_blind = bool(self._dump_fault and self._fault)
        return None if self._dump_fault else dump.entries

    def take_report(self, now_ns: int) -> Reports:
        """What became of all connections since the last report."""
        self._apply_destroyed()
        before = self._table.overflow
        reports = self._table.take_report(now_ns)
        self._losses.add("connections_overflow", self._table.overflow - before)
        return reports

    def close(self) -> None:
        """Stop listening."""
        self._close()

    def _gather(self, destroyed: Entries, now_ns: int) -> None:
        """Ends wait up to a second: the table searches itself for each lot of them, however small."""
        if self._destroyed and now_ns - self._destroyed_at_ns >= _GATHER_NS:
            self._apply_destroyed()
        if len(destroyed):
            if not self._destroyed:
                self._destroyed_at_ns = now_ns
            self._destroyed.append(destroyed)

    def _apply_destroyed(self) -> None:
        if self._destroyed:
            self._table.apply_destroyed(join(self._destroyed, ENTRY), self._destroyed_at_ns)
            self._destroyed.clear()

    def _close(self) -> None:
        self.is_listening = False
        self._reader.close()


def _capability(name: str, fault: str) -> Capability:
    return Capability(name, "missing" if fault else "ok", fault)
