"""Finds the sockets and processes of connections: soon after they begin, at each interval's end, when they close.

What is asked is bounded and what it costs too: a busy node loses process names, which is counted, not processor time.
"""

import time
from collections import deque
from collections.abc import Iterable

import numpy as np
import structlog

from agents.errors import AgentError
from agents.node.capability.record import Capability
from agents.node.metrics import NodeMetrics
from agents.node.process.entry import Process
from agents.node.process.reader import Hindrance, ProcessReader, read_hindrance
from agents.node.report.columns import TCP_STATES, Reports
from agents.node.report.flow import Processes
from agents.node.report.known_socket import KnownSockets
from agents.node.report.rows import choose
from agents.node.socket.reader import SocketReader
from agents.node.watch.budget import Budget

_PROTOCOLS = (6, 17)  # sock_diag answers exact questions for TCP and UDP
_SOCKETLESS = (TCP_STATES.index("time_wait"), TCP_STATES.index("close"))
_ASKED_AT_ONCE = 2_000
_WAITING = 20_000
_INODES_WAITING = 10_000
_SHARE = 0.015
_log = structlog.get_logger()


class SocketWatch:
    """Sockets of the node and its pods. Inert until ``start``."""

    def __init__(
        self, reader: SocketReader, processes: ProcessReader, known: KnownSockets, metrics: NodeMetrics
    ) -> None:
        self._reader = reader
        self._process_reader = processes
        self._known = known
        self._metrics = metrics
        self._processes: dict[int, Process | None] = {}
        self._waiting: deque[Reports] = deque()
        self._waiting_rows = 0
        self._unnamed: set[int] = set()
        self._namespace_budget = Budget(_SHARE, least_seconds=0.5)
        self._process_budget = Budget(_SHARE, least_seconds=0.2)
        self._fault = "not started"
        self._namespace_fault = ""
        self._process_fault = ""
        self._hindrance = Hindrance("", "")
        self._counted: dict[str, int] = {}

    @property
    def processes(self) -> Processes:
        """Processes by socket inode."""
        return self._processes

    def start(self) -> None:
        """Open the sockets; without the right to it connections go without processes and TCP figures."""
        try:
            self._hindrance = read_hindrance()
            self._reader.start()
        except AgentError as error:
            self._fault = str(error)
        else:
            self._fault = ""
            self._refresh_namespaces()

    def capabilities(self) -> list[Capability]:
        """What can be seen of sockets and processes."""
        return [
            Capability("sockets", "missing" if self._fault else "ok", self._fault),
            self._namespace_capability(),
            self._process_capability(),
        ]

    def filenos(self) -> list[int]:
        """Descriptors that become readable when sockets close."""
        return [] if self._fault else list(self._reader.filenos())

    def ask(self, rows: Reports) -> None:
        """Look up the sockets of these connections soon."""
        rows = choose(rows, np.isin(rows["protocol"], _PROTOCOLS))
        room = _WAITING - self._waiting_rows
        if len(rows) > room:
            self._metrics.missed_sockets.labels("busy").inc(len(rows) - room)
            rows = rows[:room]
        if len(rows) and not self._fault:
            self._waiting.append(rows)
            self._waiting_rows += len(rows)

    def drain(self) -> None:
        """Take what closed, look up what is waiting, name the processes."""
        if self._fault:
            return
        if self._namespace_budget.is_due(time.monotonic()):
            self._refresh_namespaces()
        self._take_closed()
        asked = 0
        while self._waiting and asked < _ASKED_AT_ONCE:
            rows = self._waiting.popleft()
            self._waiting_rows -= len(rows)
            asked += len(rows)
            self._look_up(rows)
        if self._unnamed and self._process_budget.is_due(time.monotonic()):
            self._name_processes()

    def refresh(self, reports: Reports) -> None:
        """Fresh figures of the TCP connections that are about to be reported, and their processes."""
        if self._fault:
            return
        self._take_closed()
        self._known.settle()
        has_socket = np.isin(reports["protocol"], _PROTOCOLS) & ~np.isin(reports["tcp_state"], _SOCKETLESS)
        living = choose(reports, ~reports["is_final"] & has_socket)
        for start in range(0, len(living), _ASKED_AT_ONCE):
            self._look_up(living[start : start + _ASKED_AT_ONCE])
        self._name_processes()
        self._known.settle()

    def forget(self, reports: Reports) -> None:
        """Let go of what belonged to connections that ended."""
        self._known.forget(reports)
        self._count_missed()
        self._metrics.sockets.set(len(self._known))
        living = self._known.inodes()
        self._processes = {inode: process for inode, process in self._processes.items() if inode in living}
        self._unnamed &= living

    def close(self) -> None:
        """Close all sockets."""
        self._reader.close()

    def _namespace_capability(self) -> Capability:
        fault = self._fault or self._namespace_fault
        if fault:
            return Capability("pod_namespaces", "missing", fault)
        if self._hindrance.namespaces:
            return Capability("pod_namespaces", "degraded", self._hindrance.namespaces)
        if self._reader.namespaces.skipped:
            return Capability("pod_namespaces", "degraded", "some namespaces cannot be entered, or are too many")
        return Capability("pod_namespaces", "ok")

    def _process_capability(self) -> Capability:
        if self._process_fault:
            return Capability("processes", "missing", self._process_fault)
        return Capability("processes", "degraded" if self._hindrance.files else "ok", self._hindrance.files)

    def _count_missed(self) -> None:
        """Show in metrics what the readers count since their start."""
        totals = {
            "overrun": self._reader.overruns,
            "malformed": self._reader.malformed,
            "process not found": self._process_reader.missed,
            "no room": self._known.forgotten,
        }
        for cause, total in totals.items():
            self._metrics.missed_sockets.labels(cause).inc(total - self._counted.get(cause, 0))
        self._counted = totals

    def _take_closed(self) -> None:
        try:
            self._known.note(self._reader.take_closed())
        except AgentError as error:
            self._note_failure("closed sockets", error)

    def _look_up(self, rows: Reports) -> None:
        try:
            found = self._reader.look_up(rows)
        except AgentError as error:
            self._note_failure("sockets", error)
            return
        self._known.note(found)
        self._await_names(set(found["inode"].tolist()) - {0} - self._processes.keys())

    def _await_names(self, inodes: Iterable[int]) -> None:
        for inode in inodes:
            if len(self._unnamed) >= _INODES_WAITING:
                self._metrics.missed_sockets.labels("processes busy").inc()
            else:
                self._unnamed.add(inode)

    def _name_processes(self) -> None:
        if not self._unnamed:
            return
        began = time.thread_time()
        inodes, self._unnamed = sorted(self._unnamed), set()
        try:
            found = self._process_reader.look_up(inodes)
            self._process_fault = ""
        except AgentError as error:
            self._process_fault = str(error)
            found = {}
        for inode in inodes:
            self._processes[inode] = found.get(inode)
        self._process_budget.spend(time.monotonic(), time.thread_time() - began)

    def _refresh_namespaces(self) -> None:
        began = time.thread_time()
        try:
            self._reader.refresh_namespaces()
            self._namespace_fault = ""
        except AgentError as error:
            self._namespace_fault = str(error)
        self._namespace_budget.spend(time.monotonic(), time.thread_time() - began)

    def _note_failure(self, what: str, error: AgentError) -> None:
        self._metrics.missed_sockets.labels("failed").inc()
        _log.debug("look-up failed", what=what, reason=str(error))
