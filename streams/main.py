"""Composition root of a worker: builds the stages that were asked for and runs them as Faust applications."""

import fcntl
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import faust
import structlog
from faust.auth import SASLCredentials, SSLCredentials
from mode import Worker
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from runtime.broker.reader import find_topics
from runtime.kafka import BrokerError
from runtime.reader import certificates
from runtime.server import StatusServer
from runtime.settings import KafkaSettings, Settings, SettingsError
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.schema import read_schema
from schemas.topic import (
    ALERTS,
    CHANGES,
    DEAD_LETTER,
    FLOWS,
    FLOWS_RAW,
    KUBERNETES_AUDIT,
    KUBERNETES_EVENTS,
    KUBERNETES_OBJECTS,
    POLICY_HITS,
    WINDOWS,
    Topic,
)
from streams.errors import StreamError
from streams.metadata.counters import MetadataCounters
from streams.metadata.reader import MetadataReader, Takers, Unusable
from streams.metadata.writer import DeadLetterWriter
from streams.policy.processor import PolicyWatch
from streams.source.part import PartDecoder
from streams.source.reader import LogReader
from streams.source.share import RefusalShare
from streams.window.counters import FlowCounters
from streams.window.deadletter import Refused, dead_letter
from streams.window.evaluate import Names
from streams.window.knowledge import Knowledge
from streams.window.processor import FlowProcessor, FlowStage
from streams.window.spans import Spans
from streams.window.writer import ResultWriter

if TYPE_CHECKING:
    from streams.index.processor import IndexProcessor

_STAGES = ("flows", "index")
_RESULTS = (FLOWS, WINDOWS, POLICY_HITS, DEAD_LETTER)
_INDEXED = (FLOWS, WINDOWS, POLICY_HITS, DEAD_LETTER, ALERTS, KUBERNETES_EVENTS, KUBERNETES_AUDIT, CHANGES)
_NS_PER_SECOND = 1_000_000_000
_log = structlog.get_logger()


def run(settings: Settings, stages: list[str], is_check: bool) -> None:
    """Run the stages until SIGTERM. Raises SettingsError or StreamError when they cannot be started or go on."""
    chosen = stages or list(_STAGES)
    unknown = [stage for stage in chosen if stage not in _STAGES]
    if unknown:
        raise SettingsError(f"no stage is called {unknown[0]!r}; there are {', '.join(_STAGES)}")
    worker = _Worker(settings)
    builders: dict[str, Callable[[], faust.App]] = {"flows": worker.build_flows, "index": worker.build_index}
    applications = [builders[stage]() for stage in chosen]
    if is_check:
        return
    worker.run(applications)


class _Worker:
    """The parts of one process, built but not started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._identity = settings.worker.id or socket.gethostname()
        self._scratch = tempfile.TemporaryDirectory(prefix="conntrail-worker-")
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._schemas = RegistryReader(settings.schema_registry)
        self._registration = RegistryWriter(self._schemas)
        self._writers: list[ResultWriter] = []
        self._letters: DeadLetterWriter | None = None
        self._metadata: MetadataReader | None = None
        self._flows: FlowProcessor | None = None
        self._index: IndexProcessor | None = None
        self._topics: set[str] = set()

    def build_flows(self) -> faust.App:
        """flows.raw to flows, windows and policy.hits."""
        settings = self._settings
        self._name(KUBERNETES_OBJECTS)
        knowledge = Knowledge()
        counters = MetadataCounters(self._registry)
        self._letters = letters = DeadLetterWriter(settings.kafka, self._registration, counters)

        def refuse(message: Unusable) -> None:
            refused = Refused("metadata", message.reason, *message[:5])
            letters.send(message.topic, dead_letter(settings.cluster, refused, time.time_ns()))

        self._metadata = MetadataReader(
            settings.kafka,
            self._schemas,
            Takers((knowledge.apply,), refuse, self._share(KUBERNETES_OBJECTS.full_name(settings.kafka.topic_prefix))),
            counters,
        )
        metadata = self._metadata
        watch = PolicyWatch(self._registry)

        def names() -> Names:
            metadata.catch_up()
            now_ns = time.time_ns()
            policies = knowledge.changed_policies(now_ns)
            if policies is not None:
                watch.note(policies)
            return knowledge.names(now_ns, metadata.version)

        stage = FlowStage(
            cluster=settings.cluster,
            topic=self._name(FLOWS_RAW),
            spans=_spans(settings),
            decoder=PartDecoder(read_schema(FLOWS_RAW.schema)),
            log=LogReader(settings.kafka, self._group("flows") + "-progress"),
            writer=self._writer("flows"),
            names=names,
            counters=FlowCounters(self._registry),
            share=self._share(FLOWS_RAW.full_name(settings.kafka.topic_prefix)),
        )
        self._flows = FlowProcessor(stage)
        app = self._application("flows")
        self._flows.register(app, _raw_topic(app, [self._name(FLOWS_RAW)]))
        return app

    def build_index(self) -> faust.App:
        """Results to Elasticsearch."""
        # The client costs 76 MiB resident, which a worker of other stages need not carry.
        from streams.index.counters import IndexCounters  # noqa: PLC0415
        from streams.index.processor import IndexProcessor, IndexStage  # noqa: PLC0415
        from streams.index.writer import IndexWriter  # noqa: PLC0415

        settings = self._settings
        if not settings.elasticsearch.hosts:
            raise SettingsError("CONNTRAIL_ELASTICSEARCH__HOSTS is empty: name the stages to run without the index")
        if settings.elasticsearch.ca_certs:
            certificates("CONNTRAIL_ELASTICSEARCH__CA_CERTS", settings.elasticsearch.ca_certs)
        counters = IndexCounters(self._registry)
        stage = IndexStage(
            cluster=settings.cluster,
            namespace=settings.elasticsearch.namespace,
            topics={self._name(topic): topic for topic in _INDEXED},
            log=LogReader(settings.kafka, self._group("index") + "-progress"),
            registry=self._schemas,
            index=IndexWriter(settings.elasticsearch, counters),
            dead_letters=self._writer("index"),
            counters=counters,
            share=self._share("the results"),
        )
        self._index = IndexProcessor(stage)
        app = self._application("index")
        self._index.register(app, _raw_topic(app, list(stage.topics)))
        return app

    def run(self, applications: list[faust.App]) -> None:
        """Start everything and stay until the process is told to stop."""
        signal.signal(signal.SIGTERM, _leave)  # until Faust's loop takes it over
        lock = _take_identity(self._group(self._identity))
        _log.info("connecting to Kafka", servers=self._settings.kafka.bootstrap_servers)
        _require_topics(self._settings.kafka, self._topics)
        for writer in self._writers:
            writer.start()
        if self._letters is not None:
            self._letters.start()
        if self._metadata is not None:
            _log.info("reading metadata")
            self._metadata.start()
        server = StatusServer(self._settings.http, self._registry, self._faults, self._unready)
        server.start()
        worker = Worker(*applications, override_logging=False, quiet=True, loglevel="WARNING", daemon=True)
        try:
            _execute(worker, applications)
        finally:
            lock.close()
            self._scratch.cleanup()
        failure = self._failure()
        if failure is not None:
            raise StreamError(f"stopped: {failure}")

    def _failure(self) -> BaseException | None:
        stages = (self._flows, self._index)
        return next((stage.failure for stage in stages if stage and stage.failure), None)

    def _faults(self) -> Iterable[str]:
        failure = self._failure()
        if failure is not None:
            yield str(failure)

    def _unready(self) -> Iterable[str]:
        yield from self._faults()
        for stage in (self._flows, self._index):
            if stage is not None and not stage.is_assigned:
                yield "Kafka has not assigned partitions yet"

    def _application(self, stage: str) -> faust.App:
        kafka = self._settings.kafka
        return faust.App(
            self._group(stage),
            broker=[f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")],
            broker_credentials=_credentials(kafka),
            broker_client_id=self._group(stage),
            consumer_auto_offset_reset="earliest",
            consumer_group_instance_id=self._identity,
            processing_guarantee="at_least_once",
            producer_request_timeout=30.0,
            store="memory://",
            datadir=Path(self._settings.worker.data_directory or self._scratch.name) / self._group(stage),
            autodiscover=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            # Acknowledgements are held until windows are final; who waits for them waits for a window.
            stream_wait_empty=False,
            web_enabled=False,
        )

    def _writer(self, stage: str) -> ResultWriter:
        writer = ResultWriter(self._settings.kafka, self._group(stage), _RESULTS, self._registration)
        self._writers.append(writer)
        return writer

    def _share(self, topic: str) -> RefusalShare:
        return RefusalShare(topic, self._settings.worker.refusal_share)

    def _name(self, topic: Topic) -> str:
        name = topic.full_name(self._settings.kafka.topic_prefix)
        self._topics.add(name)
        return name

    def _group(self, stage: str) -> str:
        return f"{self._settings.kafka.topic_prefix}worker-{stage}"


def _leave(*_: object) -> NoReturn:
    sys.exit(0)


def _execute(worker: Worker, applications: Sequence[Any]) -> None:
    try:
        worker.execute_from_commandline()
    except SystemExit as error:
        if error.code:
            crashed = [app.crash_reason for app in applications if app.crash_reason]
            raise StreamError(f"stopped: {crashed[0]}" if crashed else "stopped by an error, see the log") from error


def _raw_topic(app: faust.App, names: list[str]) -> faust.TopicT:
    return app.topic(*names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


def _spans(settings: Settings) -> Spans:
    window = settings.window
    step = min(window.step, window.size)
    try:
        return Spans(
            size_ns=int(window.size * _NS_PER_SECOND),
            step_ns=int(step * _NS_PER_SECOND),
            grace_ns=int(window.grace * _NS_PER_SECOND),
        )
    except ValueError as error:
        raise SettingsError(f"CONNTRAIL_WINDOW__SIZE and CONNTRAIL_WINDOW__STEP: {error}") from error


def _credentials(settings: KafkaSettings) -> SASLCredentials | SSLCredentials | None:
    if settings.security_protocol == "PLAINTEXT":
        return None
    is_encrypted = settings.security_protocol.endswith("SSL")
    ca_location = settings.ssl_ca_location
    context = certificates("CONNTRAIL_KAFKA__SSL_CA_LOCATION", ca_location) if is_encrypted else None
    if settings.security_protocol == "SSL":
        return SSLCredentials(context)
    return SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password,
        mechanism=settings.sasl_mechanism,
        ssl_context=context,
    )


def _take_identity(name: str) -> IO[str]:
    """Hold the static member's name on this machine; Kafka would silently fence whoever had it before."""
    path = Path(tempfile.gettempdir()) / f"{name}.lock"
    handle = path.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StreamError("a worker with this id runs on this machine already: give another one with --id") from error
    return handle


def _require_topics(settings: KafkaSettings, names: set[str]) -> None:
    """Faust hangs on a topic that is not there, so look first."""
    try:
        there = find_topics(settings, "conntrail-worker")
    except BrokerError as error:
        raise StreamError(str(error)) from error
    missing = sorted(names - set(there))
    if missing:
        raise StreamError(f"topic {missing[0]} does not exist, or we may not see it: run conntrail setup")
