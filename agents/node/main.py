"""Composition root of the node agent: builds every part, then starts them in order."""

import gc
import socket
from hashlib import blake2b
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from agents.errors import AgentError, WriteError
from agents.node.capability.record import Capability
from agents.node.cycle.processor import Cycle
from agents.node.interval.loss import Losses
from agents.node.interval.processor import Identity, IntervalCloser, Keeping, Publication
from agents.node.interval.schedule import Schedule
from agents.node.metrics import NodeMetrics
from agents.node.namespace.reader import entered
from agents.node.publication.main import Publisher
from agents.node.state.reader import Resumed, new_boot, resume
from agents.node.sysctl.writer import enable_conntrack
from agents.node.watch.main import build_watch, empty
from agents.node.watch.payload.processor import PayloadLosses
from agents.publish.directory.reader import read_interval
from agents.publish.directory.writer import StateDirectory
from agents.publish.interval import Interval, IntervalEncoder
from agents.publish.metrics import PublishMetrics
from agents.publish.spool import Spool, Storage
from agents.publish.writer import IntervalWriter
from runtime.server import StatusServer
from runtime.settings import Settings
from schemas.schema import read_schema
from schemas.topic import FLOWS_RAW

_YOUNG_OBJECTS = 50_000
"""Rows of an interval are many short-lived objects in no cycles; collecting while they are built is wasted."""
_log = structlog.get_logger()


def run(settings: Settings, *, is_check: bool) -> None:
    """Build the agent and run it until a signal; with ``is_check`` build it and return.

    Raises AgentError when something is wrong that only an operator can mend.
    """
    _Agent(settings).run(is_check=is_check)


class _Agent:
    """All parts of a node agent. Inert until ``run``."""

    def __init__(self, settings: Settings) -> None:
        agent = settings.agent
        self._settings = settings
        self._node = agent.node or socket.gethostname()
        self._registry = CollectorRegistry()
        self._metrics = NodeMetrics(self._registry)
        self._publish_metrics = PublishMetrics(self._registry)
        self._payload_losses = PayloadLosses(Losses(), Losses())
        self._losses = Losses()
        self._path = Path(agent.state_directory) if agent.state_directory else None
        self._directory = StateDirectory(self._path) if self._path else None
        self._spool = Spool(agent.spool_memory, agent.spool_disk if self._path else 0)
        self._kept = empty(_seed(self._node))
        self._watch = build_watch(
            agent, _seed(self._node), self._kept, self._metrics, (self._losses, self._payload_losses)
        )
        self._publisher = Publisher(settings, self._node, self._registry, self._metrics)
        self._encoder = IntervalEncoder(read_schema(FLOWS_RAW.schema), "flow_key")

    def run(self, *, is_check: bool) -> None:
        """Take up the state, start the parts, turn until a signal."""
        if is_check:
            self._build_cycle(Resumed(new_boot(), 0, None, (), ()))
            return
        if self._directory is not None:
            self._directory.open()
        try:
            self._start(resume(self._node, self._path))
        finally:
            if self._directory is not None:
                self._directory.close()

    def _start(self, resumed: Resumed) -> None:
        self._take_up(resumed)
        cycle, publications = self._build_cycle(resumed)
        server = StatusServer(self._settings.http, self._registry, cycle.unhealthy, cycle.unready)
        try:
            server.start()
        except (OSError, ValueError) as error:
            raise AgentError(f"CONNTRAIL_HTTP__ADDRESS={self._settings.http.address}: {error}") from error
        try:
            capabilities = self._prepare_kernel()
            for publication in publications:
                publication.writer.start()
            gc.freeze()
            gc.set_threshold(_YOUNG_OBJECTS)
            _log.info("agent started", node=self._node, boot=resumed.boot, sequence=resumed.next_sequence)
            cycle.run(self._metrics, capabilities)
        finally:
            server.stop()

    def _build_cycle(self, resumed: Resumed) -> tuple[Cycle, list[Publication]]:
        partitions = resumed.snapshot.partitions if resumed.snapshot else 0
        closer = IntervalCloser(
            FLOWS_RAW.name,
            Identity(self._settings.cluster, self._node, resumed.boot, resumed.next_sequence, new_boot()),
            Keeping(self._directory, self._kept.table, self._kept.known),
            self._encoder,
            self._spool,
            self._losses,
            self._metrics,
            self._publish_metrics,
            partitions=partitions or self._settings.kafka.partitions,
            is_sure=partitions > 0,
        )
        storage = Storage(self._load, closer.forget)
        writer = IntervalWriter(
            self._publisher.destination(FLOWS_RAW), self._spool, storage, self._encoder, self._publish_metrics
        )
        flows = Publication(closer, writer, self._spool)
        publications = {FLOWS_RAW.name: flows, **self._publisher.build_payloads(self._payload_losses)}
        denials = self._publisher.build_denials(self._watch, _seed(self._node))
        interval_ns = round(self._settings.agent.interval * 1e9)
        resumed_end_ns = resumed.snapshot.interval_end_ns if resumed.snapshot else None
        return (
            Cycle(self._watch, publications, lambda now_ns: Schedule(interval_ns, now_ns, resumed_end_ns), denials),
            [*publications.values(), *([] if denials is None else [denials.publication])],
        )

    def _load(self, sequence: int) -> Interval:
        if self._path is None:
            raise WriteError("an interval is neither in memory nor on disk")
        return read_interval(self._path, sequence)

    def _take_up(self, resumed: Resumed) -> None:
        """Continue from the state of an earlier life."""
        for sequence, size_bytes in resumed.unsent:
            self._losses.add("intervals_dropped", len(self._spool.add_stored(sequence, size_bytes)))
        if self._directory is not None:
            for sequence in resumed.uncommitted:
                self._directory.remove_interval(sequence)
        if resumed.snapshot is None:
            return
        try:
            self._kept.table.import_state(resumed.snapshot.connections)
        except ValueError as error:
            _log.error("kept counters cannot be used; what passed since the last report is lost", reason=str(error))
            self._losses.add("state_failures")
        self._kept.known.import_state(resumed.snapshot.sockets)
        # What began and ended meanwhile was not seen.
        self._losses.add("restarts")

    def _prepare_kernel(self) -> list[Capability]:
        try:
            with entered(self._settings.agent.netns):
                capabilities = enable_conntrack(self._settings.agent.sysctl_directory)
        except OSError as error:
            raise AgentError(f"network namespace {self._settings.agent.netns}: {error.strerror}") from error
        for capability in capabilities:
            if capability.name == "accounting":
                self._losses.set_lasting("no_accounting", is_present=capability.state != "ok")
        return capabilities


def _seed(node: str) -> int:
    """A number that stands for the node, the same in every life of its agent."""
    return int.from_bytes(blake2b(node.encode(), digest_size=8).digest())
