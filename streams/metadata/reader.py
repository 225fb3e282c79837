"""Follows the compacted topic of Kubernetes objects with a consumer of its own: all partitions, from the beginning.

No group and no thread: whoever is about to name flows first catches up, so names are never older than the question.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.errors import DecodeError, RegistryAwayError, RegistryError
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import KUBERNETES_OBJECTS
from streams.errors import ReadError
from streams.metadata.assignment import Assignment
from streams.metadata.counters import MetadataCounters
from streams.source.share import RefusalShare

Sink = Callable[[str, Mapping[str, Any] | None], None]
"""Takes the key and the record, or the key and nothing for a tombstone."""


class Unusable(NamedTuple):
    """A message that is no Kubernetes object."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str


@dataclass(frozen=True, slots=True)
class Takers:
    """Who is given what comes."""

    sinks: tuple[Sink, ...]
    refuse: Callable[[Unusable], None]
    """Takes what cannot be decoded."""
    share: RefusalShare


_PATIENCE_SECONDS: Final = 30.0
_BATCH_MESSAGES: Final = 1000
_QUEUE_KILOBYTES: Final = 16 << 10
_LOOK_MS: Final = 5_000
"""How often new partitions are looked for."""
_ASK_AGAIN_SECONDS: Final = 10.0
"""Asking a registry that is away holds everything up, so seldom."""
_log = structlog.get_logger()


class MetadataReader:
    """Gives every record of ``k8s.objects`` to its sinks, in the order of each partition."""

    def __init__(
        self,
        settings: KafkaSettings,
        registry: RegistryReader,
        takers: Takers,
        counters: MetadataCounters,
    ) -> None:
        """Nothing is connected before ``start``."""
        self._topic = KUBERNETES_OBJECTS.full_name(settings.topic_prefix)
        self._registry = registry
        self._codec = codec_of(KUBERNETES_OBJECTS.schema)
        self._pending: deque[Message] = deque()
        self._ask_at = 0.0
        self._takers = takers
        self._counters = counters
        self._assignment = Assignment(self._topic)
        self._configuration = {
            **client_configuration(settings, "conntrail-metadata"),
            "group.id": "conntrail-metadata",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": _QUEUE_KILOBYTES,
            "topic.metadata.refresh.interval.ms": _LOOK_MS,
            "statistics.interval.ms": _LOOK_MS,
            "stats_cb": self._assignment.note_statistics,
            "log_level": 0,  # its errors come through error_cb
            "error_cb": self._note_error,
        }
        self._consumer: Consumer | None = None
        self._is_ready = False

    @property
    def version(self) -> int:
        """How far the log has been taken in: grows, and is the same for all who have read as far."""
        return self._assignment.version

    def start(self) -> None:
        """Read everything that the topic holds now.

        Raises ReadError when broker or registry do not give it, StreamError when most of it is of no use.
        """
        try:
            self._consumer = Consumer(self._configuration)
            self._assign(self._consumer, self._partitions(self._consumer))
            self._read_to_end(self._consumer)
            self._is_ready = True
        except KafkaException as error:
            raise ReadError(f"metadata topic {self._topic}: {error.args[0].str()}") from error
        except RegistryError as error:
            raise ReadError(f"metadata topic {self._topic}: {error}") from error

    def catch_up(self) -> None:
        """Take in what has come since; does not wait. While broker or registry are away, what is known stays.

        Raises ReadError when the registry refuses, StreamError when most of what comes is of no use.
        """
        assert self._consumer is not None, "start comes first"
        try:
            while time.monotonic() >= self._ask_at and self._take_batch(self._consumer, 0) == _BATCH_MESSAGES:
                pass
        except RegistryAwayError as error:
            self._ask_at = time.monotonic() + _ASK_AGAIN_SECONDS
            self._counters.errors.inc()
            _log.warning("metadata waits", reason=str(error), seconds=_ASK_AGAIN_SECONDS)
        except RegistryError as error:
            raise ReadError(f"metadata topic {self._topic}: {error}") from error
        if self._assignment.missing():
            self._assign(self._consumer, self._assignment.missing())
        self._counters.lag.set(self._assignment.lag)

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()

    def _partitions(self, consumer: Consumer) -> set[int]:
        topic = consumer.list_topics(self._topic, timeout=_PATIENCE_SECONDS).topics[self._topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        return set(topic.partitions)

    def _assign(self, consumer: Consumer, partitions: set[int]) -> None:
        """Read further partitions, and the others from where they are."""
        known = [TopicPartition(self._topic, number, offset) for number, offset in self._assignment.positions.items()]
        fresh = [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in sorted(partitions)]
        consumer.assign([*known, *fresh])
        self._pending.clear()  # positions are those of what was taken in, so these come again
        self._assignment.add(set(partitions))
        self._counters.partitions.set(len(self._assignment.positions))

    def _read_to_end(self, consumer: Consumer) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._assignment.unread:
            if self._take_batch(consumer, timeout_seconds=0.1):
                deadline = time.monotonic() + _PATIENCE_SECONDS
            elif time.monotonic() > deadline:
                raise ReadError(f"metadata topic {self._topic}: nothing came for {_PATIENCE_SECONDS:.0f} s")

    def _take_batch(self, consumer: Consumer, timeout_seconds: float) -> int:
        """Number of messages; what a registry has to explain first stays for the next time when that is away."""
        if not self._pending:
            self._pending.extend(consumer.consume(_BATCH_MESSAGES, timeout=timeout_seconds))
        count = len(self._pending)
        while self._pending:
            message = self._pending[0]
            error = message.error()
            if error is None:
                self._take(message)
            else:
                self._note(message, error)
            self._pending.popleft()
            self._takers.share.check()
        self._counters.refused_share.set(self._takers.share.value)
        return count

    def _take(self, message: Message) -> None:
        partition, offset = message.partition() or 0, message.offset() or 0
        key, value = message.key(), message.value()
        patience = 0.0 if self._is_ready else _PATIENCE_SECONDS
        try:
            record = None if value is None else self._registry.decode(self._codec, value, patience)
            name = (key or b"").decode()
        except (DecodeError, UnicodeDecodeError) as fault:
            self._assignment.note_next(partition, offset + 1)
            self._counters.unusable.inc()
            self._takers.share.refuse(str(fault))
            self._takers.refuse(Unusable(self._topic, partition, offset, key, value, str(fault)))
            return
        self._assignment.note_next(partition, offset + 1)
        self._counters.records.inc()
        self._takers.share.accept()
        for sink in self._takers.sinks:
            sink(name, record)

    def _note_error(self, error: KafkaError) -> None:
        """What librdkafka reports by itself: told once an outage, which it mends."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - librdkafka's name
            self._counters.errors.inc()
            _log.warning("metadata", error=error.str())

    def _note(self, message: Message, error: KafkaError) -> None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's public name for it
            self._assignment.note_end(message.partition() or 0, message.offset() or 0)
            return
        if not self._is_ready:
            raise KafkaException(error)
        self._counters.errors.inc()
        _log.warning("metadata", error=error.str())
