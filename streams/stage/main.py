"""What the stages of one worker process share, made when the first of them asks for it."""

import socket
import tempfile
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from runtime.settings import Settings
from schemas.group import progress_group, worker_group
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.topic import ALERTS, DEAD_LETTER, SILENCES, Topic
from streams.compacted.reader import CompactedReader
from streams.errors import StreamError
from streams.notice.counters import NoticeCounters
from streams.notice.processor import NoticeFeed, Taker
from streams.result.writer import ResultWriter
from streams.source.share import RefusalShare

if TYPE_CHECKING:
    from streams.policy.knowledge import Names


class Running(Protocol):
    """What consumes the topics of a stage."""

    failure: BaseException | None
    is_assigned: bool


class Naming(Protocol):
    """Tells names and judges."""

    def start(self) -> None:
        """Raises StreamError."""

    def names(self) -> "Names":
        """As they are now."""


@dataclass(frozen=True, slots=True)
class Built:
    """A stage, built and not started."""

    application: Any
    """A service of mode, which a Faust application is too."""
    running: Running


def _scratch() -> "tempfile.TemporaryDirectory[str]":
    try:
        return tempfile.TemporaryDirectory(prefix="conntrail-worker-")
    except OSError as error:
        raise StreamError(f"no directory for temporary files, name one with TMPDIR: {error}") from error


class Process:
    """The parts that stages have in common."""

    def __init__(self, settings: Settings) -> None:
        """Raises StreamError where no directory can be written to."""
        self.settings = settings
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.identity = settings.worker.id or socket.gethostname()
        self.schemas = RegistryReader(settings.schema_registry)
        self.scratch = _scratch()
        self.topics: set[str] = set()
        """Full names of those that stages read, and that must be there."""
        self.registration = RegistryWriter(self.schemas)
        self._writers: list[ResultWriter] = []
        self._names: Naming | None = None
        self._notices: NoticeFeed | None = None
        self._notice_counters: NoticeCounters | None = None

    def name(self, topic: Topic) -> str:
        """Full name of a topic that is read."""
        name = topic.full_name(self.settings.kafka.topic_prefix)
        self.topics.add(name)
        return name

    def group(self, stage: str) -> str:
        """Consumer group of a stage."""
        return self.settings.kafka.topic_prefix + worker_group(stage)

    def progress_group(self, stage: str) -> str:
        """Consumer group that holds how far a stage's results are final."""
        return self.settings.kafka.topic_prefix + progress_group(stage)

    def writer(self, stage: str, topics: tuple[Topic, ...]) -> ResultWriter:
        """Of a stage's results."""
        writer = ResultWriter(self.settings.kafka, self.group(stage), topics, self.registration)
        self._writers.append(writer)
        return writer

    def share(self, topic: str) -> RefusalShare:
        """Which of the last messages could not be used."""
        return RefusalShare(topic, self.settings.worker.refusal_share)

    def names(self) -> "Names":
        """What is known of the cluster now."""
        assert self._names is not None, "a stage that asks for names says so when it is built"
        return self._names.names()

    def need_names(self) -> None:
        """Say that a stage asks for names: one reader serves all of them.

        Loaded when asked for: polars costs a worker of other stages a second of its start.
        """
        if self._names is None:
            self._names = import_module("streams.stage.names.main").NameSource(self)

    def need_notices(self) -> NoticeFeed:
        """Alerts and silences as they come: one feed serves all stages."""
        if self._notices is None:
            counters = self._notice_counters = NoticeCounters(self.registry)
            writer = self.writer("notice", (DEAD_LETTER,))
            self._notices = NoticeFeed(self.settings.cluster, writer, counters)
            for topic, take in ((ALERTS, self._notices.take_alert), (SILENCES, self._notices.take_silence)):
                self._notices.follow(self._notice_reader(topic, counters), take)
        return self._notices

    def follow_notices(self, topic: Topic, take: Taker) -> None:
        """Give a stage the records of a further topic of the feed."""
        feed = self.need_notices()
        assert self._notice_counters is not None, "made with the feed"
        feed.follow(self._notice_reader(topic, self._notice_counters), take)

    def _notice_reader(self, topic: Topic, counters: NoticeCounters) -> CompactedReader:
        self.name(topic)
        return CompactedReader(self.settings.kafka, self.schemas, topic, counters.errors)

    def start(self) -> None:
        """Connect what the stages share. Raises StreamError."""
        for writer in self._writers:
            writer.start()
        if self._names is not None:
            self._names.start()
        if self._notices is not None:
            self._notices.start()
