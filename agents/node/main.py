"""Composition root of the node agent: builds every part, then starts them in order."""

import gc
import socket
from hashlib import blake2b
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from agents.errors import AgentError, WriteError
from agents.node.application.options import ApplicationOptions, Treatment
from agents.node.application.table import ApplicationTable
from agents.node.attempt.reader import AttemptReader
from agents.node.attempt.table import AttemptTable
from agents.node.attempt.writer import AttemptRules
from agents.node.capability.record import Capability
from agents.node.conntrack.reader import ConntrackReader
from agents.node.conntrack.table import ConnectionTable
from agents.node.cycle.processor import Cycle, Publication
from agents.node.dns.table import DnsTable
from agents.node.interval.loss import Losses
from agents.node.interval.processor import Identity, IntervalCloser, Keeping
from agents.node.interval.schedule import Schedule
from agents.node.metrics import NodeMetrics
from agents.node.namespace.reader import entered
from agents.node.payload.reader import PayloadReader
from agents.node.payload.ruleset import Selection
from agents.node.payload.writer import PayloadRules
from agents.node.process.reader import ProcessReader
from agents.node.report.known_socket import KnownSockets
from agents.node.report.name_book import NameBook
from agents.node.report.protocol_book import ProtocolBook
from agents.node.socket.reader import SocketReader
from agents.node.state.reader import Resumed, new_boot, resume
from agents.node.sysctl.writer import enable_conntrack
from agents.node.watch.attempt.processor import AttemptWatch
from agents.node.watch.connection.processor import ConnectionWatch
from agents.node.watch.payload.processor import Books, PayloadLosses, PayloadWatch, Tables
from agents.node.watch.processor import NodeWatch
from agents.node.watch.socket.processor import SocketWatch
from agents.publish.directory.reader import read_interval
from agents.publish.directory.writer import StateDirectory
from agents.publish.interval import Interval, IntervalEncoder
from agents.publish.metrics import PublishMetrics
from agents.publish.spool import Spool, Storage
from agents.publish.writer import Destination, IntervalWriter
from runtime.kafka import client_configuration
from runtime.server import StatusServer
from runtime.settings import AgentSettings, Settings
from runtime.unit import parse_ports
from schemas.schema import read_schema
from schemas.topic import DNS_RAW, FLOWS_RAW, L7_RAW, Topic

_CONNECTIONS = 262_144
"""Connections and attempts kept at most: the kernel's own default limit of a large node (nf_conntrack_max)."""
_SOCKETS = 131_072
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
        self._books = Books(NameBook(), ProtocolBook())
        self._losses = Losses()
        self._path = Path(agent.state_directory) if agent.state_directory else None
        self._directory = StateDirectory(self._path) if self._path else None
        self._spool = Spool(agent.spool_memory, agent.spool_disk if self._path else 0)
        self._table = ConnectionTable(_seed(self._node), _CONNECTIONS)
        self._known = KnownSockets(_SOCKETS)
        self._watch = self._build_watch(agent)
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

    def _build_watch(self, agent: AgentSettings) -> NodeWatch:
        reader = ConntrackReader(agent.netns, agent.receive_buffer)
        rules = AttemptRules(agent.netns, agent.nflog_group, agent.attempts_per_second)
        attempts = AttemptTable(_seed(self._node), round(agent.attempt_patience * 1e9), _CONNECTIONS)
        attempt_reader = AttemptReader(agent.netns, agent.nflog_group, agent.receive_buffer)
        return NodeWatch(
            ConnectionWatch(reader, self._table, self._losses, self._metrics),
            AttemptWatch(rules, attempt_reader, attempts, self._losses, self._metrics),
            self._build_sockets(agent) if agent.sockets else None,
            self._build_payloads(agent) if agent.dns or agent.applications else None,
            self._books,
            self._known,
            self._losses,
        )

    def _build_payloads(self, agent: AgentSettings) -> PayloadWatch:
        dns = Selection(agent.dns_per_second, parse_ports("dns_ports", agent.dns_ports))
        ports = parse_ports("application_ports", agent.application_ports)
        application = Selection(agent.application_per_second, ports)
        return PayloadWatch(
            PayloadRules(
                agent.netns,
                agent.payload_group,
                dns if agent.dns else None,
                application if agent.applications else None,
            ),
            PayloadReader(agent.netns, agent.payload_group, agent.receive_buffer),
            Tables(
                DnsTable() if agent.dns else None,
                ApplicationTable(_application_options(agent)) if agent.applications else None,
            ),
            self._books,
            self._payload_losses,
        )

    def _payload_topics(self) -> list[tuple[Topic, str, Losses]]:
        """Topics beside flows, with the field of the key and the losses of each."""
        agent = self._settings.agent
        topics = [(DNS_RAW, "client_key", self._payload_losses.dns)] if agent.dns else []
        return topics + ([(L7_RAW, "flow_key", self._payload_losses.application)] if agent.applications else [])

    def _build_publication(self, topic: Topic, key_field: str, losses: Losses) -> Publication:
        """Of a topic of which nothing is kept on disk: its sequence begins anew in each life."""
        encoder = IntervalEncoder(read_schema(topic.schema), key_field)
        spool = Spool(self._settings.agent.spool_memory, 0)
        metrics = PublishMetrics(self._registry, topic.name.removesuffix(".raw"))
        closer = IntervalCloser(
            topic.name,
            Identity(self._settings.cluster, self._node, new_boot(), 0, new_boot()),
            None,
            encoder,
            spool,
            losses,
            self._metrics,
            metrics,
            partitions=self._settings.kafka.partitions,
        )
        storage = Storage(_load_nothing, closer.forget)
        return Publication(closer, IntervalWriter(self._destination(topic), spool, storage, encoder, metrics), spool)

    def _destination(self, topic: Topic) -> Destination:
        kafka = self._settings.kafka
        return Destination(
            client_configuration(kafka, f"conntrail-agent-{self._node}"),
            topic.full_name(kafka.topic_prefix),
            self._node.encode(),
        )

    def _build_sockets(self, agent: AgentSettings) -> SocketWatch:
        reader = SocketReader(agent.netns, agent.receive_buffer)
        return SocketWatch(reader, ProcessReader(), self._known, self._metrics)

    def _build_cycle(self, resumed: Resumed) -> tuple[Cycle, list[Publication]]:
        partitions = resumed.snapshot.partitions if resumed.snapshot else 0
        closer = IntervalCloser(
            FLOWS_RAW.name,
            Identity(self._settings.cluster, self._node, resumed.boot, resumed.next_sequence, new_boot()),
            Keeping(self._directory, self._table, self._known),
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
            self._destination(FLOWS_RAW), self._spool, storage, self._encoder, self._publish_metrics
        )
        publications = {FLOWS_RAW.name: Publication(closer, writer, self._spool)}
        for topic, key_field, losses in self._payload_topics():
            publications[topic.name] = self._build_publication(topic, key_field, losses)
        interval_ns = round(self._settings.agent.interval * 1e9)
        resumed_end_ns = resumed.snapshot.interval_end_ns if resumed.snapshot else None
        return (
            Cycle(self._watch, publications, lambda now_ns: Schedule(interval_ns, now_ns, resumed_end_ns)),
            list(publications.values()),
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
            self._table.import_state(resumed.snapshot.connections)
        except ValueError as error:
            _log.error("kept counters cannot be used; what passed since the last report is lost", reason=str(error))
            self._losses.add("state_failures")
        self._known.import_state(resumed.snapshot.sockets)
        # What began and ended meanwhile was not seen.
        self._losses.add("restarts")

    def _prepare_kernel(self) -> list[Capability]:
        try:
            with entered(self._settings.agent.netns):
                capabilities = enable_conntrack()
        except OSError as error:
            raise AgentError(f"network namespace {self._settings.agent.netns}: {error.strerror}") from error
        for capability in capabilities:
            if capability.name == "accounting":
                self._losses.set_lasting("no_accounting", is_present=capability.state != "ok")
        return capabilities


def _application_options(agent: AgentSettings) -> ApplicationOptions:
    return ApplicationOptions(
        keep_query=agent.keep_query,
        paths=Treatment(agent.paths),
        hosts=Treatment(agent.hosts),
        user_agents=Treatment(agent.user_agents),
        request_ids=Treatment(agent.request_ids),
        hash_key=agent.hash_key.encode(),
    )


def _load_nothing(_sequence: int) -> Interval:
    raise WriteError("an interval is not in memory any more")


def _seed(node: str) -> int:
    """A number that stands for the node, the same in every life of its agent."""
    return int.from_bytes(blake2b(node.encode(), digest_size=8).digest())
