"""What the stages of one worker process share, made when the first of them asks for it."""

import socket
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import faust
import structlog
from faust.auth import SASLCredentials, SSLCredentials
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from runtime.reader import certificates
from runtime.settings import KafkaSettings, Settings
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.topic import KUBERNETES_OBJECTS, Topic
from streams.metadata.counters import MetadataCounters
from streams.metadata.reader import MetadataReader, Takers, Unusable
from streams.metadata.writer import DeadLetterWriter
from streams.policy.knowledge import Knowledge, Names
from streams.policy.processor import PolicyWatch
from streams.result.deadletter import Refused, dead_letter
from streams.result.writer import ResultWriter
from streams.source.share import RefusalShare

_log = structlog.get_logger()


class Running(Protocol):
    """What consumes the topics of a stage."""

    failure: BaseException | None
    is_assigned: bool


@dataclass(frozen=True, slots=True)
class Built:
    """A stage, built and not started."""

    application: faust.App
    running: Running


class Process:
    """The parts that stages have in common."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.identity = settings.worker.id or socket.gethostname()
        self.schemas = RegistryReader(settings.schema_registry)
        self.scratch = tempfile.TemporaryDirectory(prefix="conntrail-worker-")
        self.topics: set[str] = set()
        """Full names of those that stages read, and that must be there."""
        self._registration = RegistryWriter(self.schemas)
        self._writers: list[ResultWriter] = []
        self._metadata: _Metadata | None = None

    def name(self, topic: Topic) -> str:
        """Full name of a topic that is read."""
        name = topic.full_name(self.settings.kafka.topic_prefix)
        self.topics.add(name)
        return name

    def group(self, stage: str) -> str:
        """Consumer group of a stage."""
        return f"{self.settings.kafka.topic_prefix}worker-{stage}"

    def writer(self, stage: str, topics: tuple[Topic, ...]) -> ResultWriter:
        """Of a stage's results."""
        writer = ResultWriter(self.settings.kafka, self.group(stage), topics, self._registration)
        self._writers.append(writer)
        return writer

    def share(self, topic: str) -> RefusalShare:
        """Which of the last messages could not be used."""
        return RefusalShare(topic, self.settings.worker.refusal_share)

    def names(self) -> Names:
        """What is known of the cluster now."""
        assert self._metadata is not None, "a stage that asks for names says so when it is built"
        return self._metadata.names()

    def need_names(self) -> None:
        """Say that a stage asks for names: one reader serves all of them."""
        if self._metadata is None:
            self._metadata = _Metadata(self, self._registration)

    def start(self) -> None:
        """Connect what the stages share. Raises StreamError."""
        for writer in self._writers:
            writer.start()
        if self._metadata is not None:
            self._metadata.start()

    def application(self, stage: str, topics: Iterable[str]) -> tuple[faust.App, faust.TopicT]:
        """A Faust application that reads topics as bytes."""
        kafka = self.settings.kafka
        app = faust.App(
            self.group(stage),
            broker=[f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")],
            broker_credentials=_credentials(kafka),
            broker_client_id=self.group(stage),
            consumer_auto_offset_reset="earliest",
            consumer_group_instance_id=self.identity,
            processing_guarantee="at_least_once",
            producer_request_timeout=30.0,
            store="memory://",
            datadir=Path(self.settings.worker.data_directory or self.scratch.name) / self.group(stage),
            autodiscover=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            # Acknowledgements are held until windows are final; who waits for them waits for a window.
            stream_wait_empty=False,
            web_enabled=False,
        )
        raw: Any = "raw"
        return app, app.topic(*topics, key_type=bytes, value_type=bytes, key_serializer=raw, value_serializer=raw)


class _Metadata:
    """The log of Kubernetes objects, read into what is known of the cluster."""

    def __init__(self, process: Process, registration: RegistryWriter) -> None:
        settings = process.settings
        counters = MetadataCounters(process.registry)
        self._cluster = settings.cluster
        self._letters = DeadLetterWriter(settings.kafka, registration, counters)
        self._knowledge = Knowledge()
        self._watch = PolicyWatch(process.registry)
        takers = Takers((self._knowledge.apply,), self._refuse, process.share(process.name(KUBERNETES_OBJECTS)))
        self._reader = MetadataReader(settings.kafka, process.schemas, takers, counters)

    def start(self) -> None:
        """Read all of it. Raises StreamError."""
        self._letters.start()
        _log.info("reading metadata")
        self._reader.start()

    def names(self) -> Names:
        """With what came since the last time."""
        self._reader.catch_up()
        now_ns = time.time_ns()
        policies = self._knowledge.changed_policies(now_ns)
        if policies is not None:
            self._watch.note(policies)
        return self._knowledge.names(now_ns, self._reader.version)

    def _refuse(self, message: Unusable) -> None:
        refused = Refused("metadata", message.reason, *message[:5])
        self._letters.send(message.topic, dead_letter(self._cluster, refused, time.time_ns()))


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
