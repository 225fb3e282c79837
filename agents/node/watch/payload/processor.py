"""Keeps the rules that show payloads in place, and hands what they show to the tables of DNS and applications."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from agents.errors import AgentError, ReadError
from agents.node.application.table import ApplicationTable
from agents.node.capability.record import Capability
from agents.node.dns.table import DnsTable
from agents.node.interval.loss import Losses
from agents.node.payload.packet import Kind, Packet
from agents.node.payload.reader import SHOWN_AFTER_SECONDS, PayloadBatch, PayloadReader
from agents.node.payload.translation_book import TranslationBook
from agents.node.payload.writer import PayloadRules
from agents.node.report.name_book import NameBook
from agents.node.report.protocol_book import ProtocolBook
from agents.node.watch.payload.prompt.processor import PromptWatch
from agents.publish.column import Column
from schemas.topic import DNS_RAW, L7_RAW

_RETRY_SECONDS: Final = 30.0
_HELD_NS: Final = round(SHOWN_AFTER_SECONDS * 1e9)
_DNS_KINDS: Final = frozenset({Kind.DNS_QUERY, Kind.DNS_ANSWER})
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Books:
    """What flows and exchanges are told of their connections."""

    names: NameBook
    protocols: ProtocolBook
    translations: TranslationBook


@dataclass(frozen=True, slots=True)
class Tables:
    """Who takes the packets; None where nobody does."""

    dns: DnsTable | None
    applications: ApplicationTable | None


@dataclass(frozen=True, slots=True)
class Readers:
    """Of payloads, and of the answers whose time is that of their reading."""

    payload: PayloadReader
    prompt: PromptWatch


@dataclass(frozen=True, slots=True)
class PayloadLosses:
    """Losses of either topic."""

    dns: Losses
    application: Losses


class PayloadWatch:
    """Payloads of the node's network namespace. Inert until ``start``."""

    def __init__(
        self, rules: PayloadRules, readers: Readers, tables: Tables, books: Books, losses: PayloadLosses
    ) -> None:
        self._rules = rules
        self._reader = readers.payload
        self._prompt = readers.prompt
        self._read: list[Packet] = []
        self._tables = tables
        self._books = books
        self._losses = losses
        self._fault = "not started"
        self._cut = (0, 0)
        self._counted = (0, 0, 0, 0)
        self._retry_at = 0.0

    def start(self) -> None:
        """Bind the group and install the rules; when that fails it is tried again now and then."""
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        try:
            self._reader.start()
            if self._tables.dns is not None:
                self._prompt.start()
            self._install()
        except AgentError as error:
            self._fail(error)
        else:
            self._fault = ""
            self._losses.dns.is_blind = False
            self._losses.application.is_blind = bool(self._rules.refusal)

    def capabilities(self) -> list[Capability]:
        """Whether DNS and applications can be seen."""
        return [
            _capability("dns", self._tables.dns, self._fault),
            *([] if self._tables.dns is None or self._fault else [self._prompt.capability()]),
            _capability("applications", self._tables.applications, self._fault or self._rules.refusal),
        ]

    def filenos(self) -> list[int]:
        """Descriptors that become readable when there are payloads."""
        return [] if self._fault else [self._reader.fileno()]

    def read(self) -> None:
        """Read the payloads that are there; ``note`` takes them, after the events that began their connections."""
        if self._fault:
            return
        try:
            batch = self._reader.read()
        except AgentError as error:
            self._fail(error)
            return
        self.read_prompt(was_waited_for=False)
        self._read += batch.packets
        # Of what was lost nobody knows the kind.
        self._losses.application.add("application_lost", batch.lost)
        self._note_losses(batch)

    def note(self) -> None:
        """Hand what was read to the tables."""
        packets, self._read = self._read, []
        held = self._prompt.take(time.time_ns() - _HELD_NS)
        self._note_dns([packet for packet in packets if packet.kind in _DNS_KINDS] + held)
        self._note_applications([packet for packet in packets if packet.kind not in _DNS_KINDS])

    def prompt_filenos(self) -> list[int]:
        """Descriptors of what is to be read at once."""
        return self._prompt.filenos()

    def read_prompt(self, *, was_waited_for: bool) -> None:
        """Read answers that were made here; only if they were waited for, they have the time of now."""
        self._note_losses(self._prompt.read(was_waited_for=was_waited_for))
        if self._rules.is_sampled and not self._fault and not self._prompt.is_listening:
            self._note_cut(1, 0)
            self._reinstall()

    def _note_losses(self, batch: PayloadBatch) -> None:
        self._losses.dns.add("dns_lost", batch.lost)
        self._losses.dns.add("dns_malformed", batch.malformed)
        if batch.lost:
            self._books.names.note_loss(time.time_ns())

    def await_shown(self) -> None:
        """Wait until the kernel has shown the payloads of the connections that are just being reported."""
        if not self._fault:
            time.sleep(SHOWN_AFTER_SECONDS)

    def check_rules(self) -> None:
        """Count what the limits cut, and put the rules back when they are gone."""
        if self._fault:
            if time.monotonic() >= self._retry_at:
                self.start()
            return
        try:
            dns, application = self._rules.read_cut()
        except ReadError as error:
            _log.warning("the payload rules are put back", reason=str(error))
            self._note_cut(1, 1)
            self._reinstall()
            return
        self._note_cut(dns - self._cut[0], application - self._cut[1])
        self._cut = (dns, application)
        self._try_prompt()

    def take_reports(self, now_ns: int, *, flush: bool) -> Iterator[tuple[str, Mapping[str, Column]]]:
        """Topic, without prefix, and columns of the exchanges since the last report."""
        tables = ((DNS_RAW, self._tables.dns), (L7_RAW, self._tables.applications))
        reports = [(topic.name, table.take_report(now_ns, flush)) for topic, table in tables if table is not None]
        self._count()
        yield from reports

    def close(self) -> None:
        """Take the rules away and stop reading."""
        try:
            self._rules.remove()
        except AgentError as error:
            if self._rules.is_installed:
                _log.warning("the nftables table stays behind", reason=str(error))
        self._reader.close()
        self._prompt.close()

    def _note_dns(self, packets: list[Packet]) -> None:
        if self._tables.dns is None:
            return
        for packet in packets:
            self._books.protocols.note(packet.client, packet.dialled, packet.protocol, "dns")
        for resolved in self._tables.dns.note(packets):
            self._books.names.note(resolved)

    def _note_applications(self, packets: list[Packet]) -> None:
        if self._tables.applications is None:
            return
        translations = self._books.translations
        for found in self._tables.applications.note([translations.undo(packet) for packet in packets]):
            self._books.protocols.note(found.client, found.dialled, found.protocol, found.name)

    def _note_cut(self, dns: int, application: int) -> None:
        self._losses.dns.add("dns_cut", dns)
        self._losses.application.add("application_cut", application)
        if dns:
            self._books.names.note_loss(time.time_ns())

    def _count(self) -> None:
        """Note what the tables count since their start; an empty table is false, yet counts."""
        dns, applications = self._tables.dns, self._tables.applications
        now = (
            dns.malformed if dns is not None else 0,
            (dns.overflowed if dns is not None else 0) + self._prompt.overflowed,
            applications.malformed if applications is not None else 0,
            applications.overflowed if applications is not None else 0,
        )
        before, self._counted = self._counted, now
        self._losses.dns.add("dns_malformed", now[0] - before[0])
        self._losses.dns.add("dns_overflow", now[1] - before[1])
        self._losses.application.add("application_malformed", now[2] - before[2])
        self._losses.application.add("application_overflow", now[3] - before[3])

    def _try_prompt(self) -> None:
        """Each interval anew, while somebody else has the group."""
        if self._tables.dns is not None and not self._prompt.is_listening and self._prompt.start():
            self._reinstall()

    def _reinstall(self) -> None:
        try:
            self._install()
        except AgentError as failure:
            self._fail(failure)

    def _install(self) -> None:
        self._rules.install(is_sampled=self._prompt.is_listening)
        self._cut = (0, 0)
        if self._rules.refusal:
            _log.warning("applications are not seen", reason=self._rules.refusal)

    def _fail(self, error: AgentError) -> None:
        if str(error) != self._fault:
            _log.warning("DNS and applications are not seen", reason=str(error))
        self._fault = str(error)
        self._losses.dns.is_blind = self._losses.application.is_blind = True
        self._books.names.note_loss(time.time_ns())
        self._reader.close()
        self._prompt.close()


def _capability(name: str, table: object | None, fault: str) -> Capability:
    if table is None:
        return Capability(name, "missing", f"CONNTRAIL_AGENT__{name.upper()} is off")
    return Capability(name, "missing" if fault else "ok", fault)
