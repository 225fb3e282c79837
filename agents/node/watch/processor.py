"""All that is watched on a node, as one: what came in since the last look, what an interval amounts to."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agents.node.capability.record import Capability
from agents.node.interval.loss import Losses
from agents.node.report.columns import REPORT
from agents.node.report.flow import assemble_flows
from agents.node.report.known_socket import KnownSockets
from agents.node.report.rows import join
from agents.node.watch.attempt.processor import AttemptWatch
from agents.node.watch.budget import Budget
from agents.node.watch.connection.processor import ConnectionWatch
from agents.node.watch.payload.processor import Books, PayloadWatch
from agents.node.watch.socket.processor import SocketWatch
from agents.publish.column import Column
from schemas.topic import FLOWS_RAW

_MENDING_SHARE = 0.05
"""Of one processor, while events overrun without end."""


@dataclass(slots=True)
class NodeWatch:
    """The node's connections, attempts, sockets and payloads. Inert until ``start``."""

    connections: ConnectionWatch
    attempts: AttemptWatch
    sockets: SocketWatch | None
    payloads: PayloadWatch | None
    books: Books
    known: KnownSockets
    losses: Losses
    _is_mending_due: bool = False
    _mending: Budget = field(default_factory=lambda: Budget(_MENDING_SHARE, least_seconds=1.0))

    def start(self) -> None:
        """Listen first, then dump, then install rules: no connection falls between two of them."""
        self.connections.start()
        entries = self.connections.reconcile()
        if self.sockets is not None:
            self.sockets.start()
            if entries is not None:
                self.sockets.ask(entries)
        self.attempts.start()
        if self.payloads is not None:
            self.payloads.start()
            if entries is not None:
                self.books.translations.note(entries)

    def capabilities(self) -> list[Capability]:
        """What this node can see."""
        found = [*self.connections.capabilities(), *self.attempts.capabilities()]
        if self.payloads is not None:
            found += self.payloads.capabilities()
        if self.sockets is not None:
            return found + self.sockets.capabilities()
        off = "CONNTRAIL_AGENT__SOCKETS is off"
        return found + [Capability(name, "missing", off) for name in ("sockets", "pod_namespaces", "processes")]

    def filenos(self) -> Iterator[int]:
        """Descriptors that become readable when there is something to drain."""
        yield from self.connections.filenos()
        yield from self.attempts.filenos()
        if self.payloads is not None:
            yield from self.payloads.filenos()
        if self.sockets is not None:
            yield from self.sockets.filenos()

    def prompt_filenos(self) -> list[int]:
        """Descriptors of what has the time of its reading, to be read at once by ``read_prompt``."""
        return self.payloads.prompt_filenos() if self.payloads is not None else []

    def read_prompt(self, *, was_waited_for: bool) -> None:
        """Read it; ``was_waited_for`` when nobody was busy with something else as it came."""
        if self.payloads is not None:
            self.payloads.read_prompt(was_waited_for=was_waited_for)

    def is_pressed(self) -> bool:
        """Whether what has gathered should be read now, before a buffer overruns."""
        return self.connections.is_pressed()

    def drain(self) -> int:
        """Read what is there; return how many connections began."""
        began = self._read_all()
        if self.sockets is not None:
            self.sockets.drain()
        if self._is_mending_due and self._mending.is_due(time.monotonic()):
            self._mend()
        return began

    def take_reports(self, *, is_last: bool) -> dict[str, Mapping[str, Column]]:
        """Columns of the interval that ends now, by topic."""
        reports: dict[str, Mapping[str, Column]] = {FLOWS_RAW.name: self._take_flows(is_last=is_last)}
        if self.payloads is None:
            return reports
        self.payloads.check_rules()
        reports.update(self.payloads.take_reports(time.time_ns(), flush=is_last))
        return reports

    def _take_flows(self, *, is_last: bool) -> dict[str, Column]:
        """Columns of raw_flow for the interval that ends now."""
        self.drain()
        self._mend()
        # What began between the last look and the dump is new, not old: its beginning must be known to the table.
        self._read_events()
        self.attempts.check_rules()
        now_ns = time.time_ns()
        reports = join([self.connections.take_report(now_ns), self.attempts.take_report(now_ns, flush=is_last)], REPORT)
        if self.payloads is not None:
            self.payloads.await_shown()
            self._read_all()
        if self.sockets is None:
            return assemble_flows(reports, self.known, {}, self.books.names, self.books.protocols)
        self.sockets.refresh(reports)
        flows = assemble_flows(reports, self.known, self.sockets.processes, self.books.names, self.books.protocols)
        self.sockets.forget(reports)
        return flows

    def close(self) -> None:
        """Take the rules away before nobody listens for confirmations any more."""
        self.attempts.close()
        self.connections.close()
        if self.payloads is not None:
            self.payloads.close()
        if self.sockets is not None:
            self.sockets.close()

    def _read_all(self) -> int:
        """Payloads are read before events and noted after them: by then the event of each one's connection is known."""
        if self.payloads is not None:
            self.payloads.read()
        began = self._read_events()
        if self.payloads is not None:
            self.payloads.note()
        return began

    def _read_events(self) -> int:
        """First packets are read before the events that confirm them, so that no confirmation comes too early."""
        now_ns = time.time_ns()
        self.attempts.drain(now_ns)
        drained = self.connections.drain(now_ns)
        self.attempts.confirm(drained.new)
        if drained.is_overrun or not self.connections.is_listening:
            self.attempts.hold()
        self._is_mending_due |= drained.is_overrun
        if self.payloads is not None:
            self.books.translations.note(drained.new)
        if self.sockets is not None:
            self.sockets.ask(drained.new)
        return len(drained.new)

    def _mend(self) -> None:
        """Make up by a dump for what events did not bring."""
        began, began_at_ns = time.thread_time(), time.time_ns()
        entries = self.connections.reconcile()
        is_due, self._is_mending_due = self._is_mending_due, False
        self._mending.spend(time.monotonic(), time.thread_time() - began)
        if entries is not None:
            if is_due and self.payloads is not None:
                self.books.translations.note(entries)
            self.attempts.confirm(entries)
            if self.connections.is_listening:
                self.attempts.release(began_at_ns)
