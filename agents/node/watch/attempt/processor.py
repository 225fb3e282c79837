"""Keeps our nftables table in place and the denied attempts that it shows.

The rules go in after the events are listened to, else connections confirmed unheard would look denied; a ruleset
flushed by others is put back, and the interval says so.
"""

import time

import structlog

from agents.errors import AgentError, ReadError
from agents.node.attempt.reader import AttemptReader
from agents.node.attempt.table import AttemptTable
from agents.node.attempt.writer import AttemptRules
from agents.node.capability.record import Capability
from agents.node.conntrack.entry import Entries
from agents.node.interval.loss import Losses
from agents.node.metrics import NodeMetrics
from agents.node.report.columns import Reports

_RETRY_SECONDS = 30.0
_log = structlog.get_logger()


class AttemptWatch:
    """First packets of the node's network namespace. Inert until ``start``."""

    def __init__(
        self, rules: AttemptRules, reader: AttemptReader, table: AttemptTable, losses: Losses, metrics: NodeMetrics
    ) -> None:
        self._rules = rules
        self._reader = reader
        self._table = table
        self._losses = losses
        self._metrics = metrics
        self._fault = "not started"
        self._cut = 0
        self._overflowed = self._undetermined = 0
        self._retry_at = 0.0

    def start(self) -> None:
        """Bind the group and install the rules; when that fails it is tried again now and then."""
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        try:
            self._reader.start()
            self._rules.install()
        except AgentError as error:
            if str(error) != self._fault:
                _log.warning("denied attempts are not seen", reason=str(error))
            self._fault = str(error)
            self._reader.close()
        else:
            self._fault = ""
            self._cut = 0
        self._losses.set_lasting("no_attempts", is_present=bool(self._fault))

    def capabilities(self) -> list[Capability]:
        """Whether denied attempts can be seen."""
        return [Capability("attempts", "missing" if self._fault else "ok", self._fault)]

    def filenos(self) -> list[int]:
        """Descriptors that become readable when there are first packets."""
        return [] if self._fault else [self._reader.fileno()]

    def drain(self, now_ns: int) -> None:
        """Read the first packets that are there."""
        if self._fault:
            return
        try:
            batch = self._reader.read()
        except AgentError as error:
            self._fail(error)
            return
        self._table.note(batch.rows, now_ns)
        self._metrics.attempts.inc(len(batch.rows))
        self._losses.add("attempt_overruns", batch.overruns)
        self._losses.add("attempts_lost", batch.lost)
        self._losses.add("attempts_malformed", batch.malformed)

    def confirm(self, entries: Entries) -> None:
        """These connections exist: their first packets were let through."""
        self._table.confirm(entries)

    def hold(self) -> None:
        """Confirmations may be missing: call nothing denied until a dump has told what exists."""
        self._table.hold()

    def release(self, dumped_at_ns: int) -> None:
        """All entries of a dump that began at this instant were given to ``confirm``."""
        self._table.release(dumped_at_ns)

    def check_rules(self) -> None:
        """Count what the rate limit cut, and put the rules back when they are gone."""
        if self._fault:
            if time.monotonic() >= self._retry_at:
                self.start()
            return
        try:
            cut = self._rules.read_cut()
            self._losses.add("attempts_cut", cut - self._cut)
            self._cut = cut
        except ReadError as error:
            _log.warning("the attempt rules are put back", reason=str(error))
            self._losses.add("attempt_rules_flushed")
            self._reinstall()

    def take_report(self, now_ns: int, *, flush: bool) -> Reports:
        """Attempts decided since the last report."""
        reports = self._table.take_report(now_ns, flush)
        self._losses.add("attempts_overflow", self._table.overflowed - self._overflowed)
        self._losses.add("attempts_undetermined", self._table.undetermined - self._undetermined)
        self._overflowed, self._undetermined = self._table.overflowed, self._table.undetermined
        return reports

    @property
    def untold_denials(self) -> int:
        """Denied packets for which there was no room until they could be told, since the start."""
        return self._table.untold + self._table.overflowed

    def next_denial_ns(self) -> int | None:
        """When ``take_denials`` has something to tell; None when nothing waits."""
        return self._table.next_denial_ns()

    def take_denials(self, now_ns: int) -> Reports:
        """Denied attempts not told yet, which the next report holds all the same."""
        return self._table.take_denials(now_ns)

    def close(self) -> None:
        """Take the rules away and stop reading."""
        try:
            self._rules.remove()
        except AgentError as error:
            if self._rules.is_installed:
                _log.warning("the nftables table stays behind", reason=str(error))
        self._reader.close()

    def _reinstall(self) -> None:
        try:
            self._rules.install()
            self._cut = 0
        except AgentError as error:
            self._fail(error)

    def _fail(self, error: AgentError) -> None:
        _log.error("first packets failed", reason=str(error))
        self._fault = str(error)
        self._losses.set_lasting("no_attempts", is_present=True)
        self._reader.close()
