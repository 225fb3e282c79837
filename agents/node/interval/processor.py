"""Closes an interval: rows, losses and state become durable first, then they are handed to the spool."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from agents.errors import WriteError
from agents.node.conntrack.table import ConnectionTable
from agents.node.interval.loss import Losses
from agents.node.interval.schedule import Span
from agents.node.metrics import NodeMetrics
from agents.node.report.known_socket import KnownSockets
from agents.node.state.snapshot import Snapshot, pack_snapshot
from agents.publish.column import Column, LongColumn
from agents.publish.directory.writer import StateDirectory
from agents.publish.interval import Facts, Interval, IntervalEncoder
from agents.publish.metrics import PublishMetrics
from agents.publish.spool import Spool
from agents.publish.writer import IntervalWriter

_log = structlog.get_logger()


@dataclass(slots=True)
class Identity:
    """Names every batch of this agent, together with partition and part."""

    cluster: str
    node: str
    boot: str
    next_sequence: int
    fresh_boot: str
    """Taken when the state cannot be kept: a restart from the older state must not reuse the names."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a restart must find again."""

    directory: StateDirectory | None
    connections: ConnectionTable
    sockets: KnownSockets


@dataclass(slots=True)
class IntervalCloser:
    """Turns what was seen in an interval into messages in the spool."""

    topic: str
    identity: Identity
    keeping: Keeping | None
    """None for a topic of which nothing is kept over a restart."""
    encoder: IntervalEncoder
    spool: Spool
    losses: Losses
    metrics: NodeMetrics
    publish_metrics: PublishMetrics
    partitions: int
    """A guess until the topic was asked."""
    is_sure: bool = False
    _told: tuple[str, ...] = ()
    """Coverage and causes that were logged last: what stays as it is needs no line in each interval."""

    def close(self, span: Span, flows: Mapping[str, Column], partitions: int) -> None:
        """Close the interval; ``partitions`` is what the topic has, 0 when that is not known."""
        if partitions:
            self.partitions, self.is_sure = partitions, True
        self.losses.add("intervals_missed", span.missed)
        self.losses.add("clock_steps", int(span.is_clock_stepped))
        interval = self._encode(span, flows)
        self.identity.next_sequence += 1
        self._keep(interval, span.end_ns)
        self._spool(interval)
        if self.keeping is not None:
            self.metrics.rows.inc(_count(flows))
            self.metrics.interval_end.set(span.end_ns / 1e9)

    def _encode(self, span: Span, flows: Mapping[str, Column]) -> Interval:
        coverage, lost = self.losses.take()
        if self.keeping is not None:
            self.metrics.intervals.labels(coverage).inc()
        for cause, count in lost.items():
            self.metrics.lost.labels(cause).inc(count)
        self._tell(coverage, lost)
        facts = Facts(
            cluster=self.identity.cluster,
            node=self.identity.node,
            boot=self.identity.boot,
            sequence=self.identity.next_sequence,
            start_ns=span.start_ns,
            end_ns=span.end_ns,
            coverage=coverage,
            lost=lost,
        )
        return self.encoder.encode(facts, flows, self.partitions, is_sure=self.is_sure)

    def _tell(self, coverage: str, lost: Mapping[str, int]) -> None:
        causes = () if coverage == "complete" else (coverage, *sorted(lost))
        if causes == self._told:
            return
        self._told = causes
        if causes:
            _log.warning("intervals are not complete", topic=self.topic, coverage=coverage, lost=dict(lost))
        else:
            _log.info("intervals are complete again", topic=self.topic)

    @property
    def is_kept(self) -> bool:
        """Whether intervals outlive this process."""
        return self.keeping is not None and self.keeping.directory is not None

    def _keep(self, interval: Interval, end_ns: int) -> None:
        """First the interval, then the state that knows of it: a crash in between leaves the older state whole."""
        if self.keeping is None or self.keeping.directory is None:
            return
        snapshot = Snapshot(
            node=self.identity.node,
            boot=self.identity.boot,
            next_sequence=self.identity.next_sequence,
            interval_end_ns=end_ns,
            partitions=self.partitions if self.is_sure else 0,
            connections=self.keeping.connections.export_state(),
            sockets=self.keeping.sockets.export_state(),
        )
        try:
            self.keeping.directory.write_interval(interval)
            self.keeping.directory.write_state(pack_snapshot(snapshot))
        except WriteError as error:
            _log.error("state is not kept; a restart now would count twice", reason=str(error))
            self.losses.add("state_failures")
            self.identity.boot = self.identity.fresh_boot

    def _spool(self, interval: Interval) -> None:
        dropped = self.spool.add(interval)
        if not dropped:
            return
        _log.warning("spool is full: the oldest intervals are dropped", intervals=len(dropped))
        self.losses.add("intervals_dropped", len(dropped))
        self.publish_metrics.dropped.labels("spool full").inc(len(dropped))
        for sequence in dropped:
            self.forget(sequence)

    def forget(self, sequence: int) -> None:
        """Remove an interval's file."""
        if self.keeping is None or self.keeping.directory is None:
            return
        try:
            self.keeping.directory.remove_interval(sequence)
        except WriteError as error:
            _log.warning("a sent interval stays on disk", sequence=sequence, reason=str(error))


@dataclass(frozen=True, slots=True)
class Publication:
    """What closes, keeps and sends the intervals of one topic."""

    closer: IntervalCloser
    writer: IntervalWriter
    spool: Spool


def _count(flows: Mapping[str, Column]) -> int:
    keys = flows["flow_key"]
    return len(keys.values) if isinstance(keys, LongColumn) else 0
