"""Follows a compacted topic with a consumer of its own: all partitions, from the beginning.

No group and no thread: whoever starts knows all that is known, and several processes read the same without sharing it.
"""

import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from prometheus_client import Counter

from runtime.broker.reader import find_partitions
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.errors import DecodeError, RegistryAwayError, RegistryError
from schemas.group import reader_group
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import Topic
from streams.compacted.assignment import Assignment
from streams.errors import ReadError

_BATCH_MESSAGES: Final = 1000
_PATIENCE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_QUEUE_KILOBYTES: Final = 16 << 10
_FETCH_WAIT_MS: Final = 100
_LOOK_MS: Final = 5_000
"""How often new partitions are looked for."""
_ASK_AGAIN_SECONDS: Final = 10.0
"""Asking a registry that is away holds everything up, so seldom."""
_log = structlog.get_logger()


class Reading(NamedTuple):
    """One message: a record, a tombstone (neither value nor fault), or what cannot be read and why."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    record: dict[str, Any] | None
    fault: str

    @property
    def name(self) -> str:
        """The key as text."""
        return (self.key or b"").decode(errors="replace")


class CompactedReader:
    """One topic. What it gives is taken in, as ``version`` says, when it is given."""

    def __init__(self, settings: KafkaSettings, registry: RegistryReader, topic: Topic, errors: Counter) -> None:
        """Nothing is connected yet; ``errors`` counts what went wrong and mended itself."""
        self.topic = topic
        self._name = topic.full_name(settings.topic_prefix)
        self._registry = registry
        self._codec = codec_of(topic.schema)
        self._errors = errors
        self._pending: deque[Message] = deque()
        self._ask_at = 0.0
        self._assignment = Assignment(self._name)
        self._configuration = {
            **client_configuration(settings, f"conntrail-{topic.name}"),
            "group.id": settings.topic_prefix + reader_group(topic),
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": _QUEUE_KILOBYTES,
            "fetch.wait.max.ms": _FETCH_WAIT_MS,
            "topic.metadata.refresh.interval.ms": _LOOK_MS,
            "statistics.interval.ms": _LOOK_MS,
            "stats_cb": self._assignment.note_statistics,
            "log_level": 0,  # its errors come through error_cb
            "error_cb": self._note_outage,
        }
        self._consumer: Consumer | None = None
        self._is_ready = False

    @property
    def version(self) -> int:
        """How far the log has been taken in: grows, and is the same for all who have read as far."""
        return self._assignment.version

    @property
    def lag(self) -> int:
        """Records in the topic that are not taken in yet, as last heard."""
        return self._assignment.lag

    @property
    def partitions(self) -> int:
        """Number of partitions that are followed."""
        return len(self._assignment.positions)

    def start(self) -> Iterator[list[Reading]]:
        """Everything that the topic holds now. Raises ReadError when broker or registry do not give it."""
        try:
            self._consumer = Consumer(self._configuration)
            self._assign(self._consumer, find_partitions(self._consumer, self._name))
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while self._assignment.unread:
                if readings := self._take(self._consumer, _POLL_SECONDS):
                    yield readings
                    deadline = time.monotonic() + _PATIENCE_SECONDS
                elif time.monotonic() > deadline:
                    raise ReadError(f"topic {self._name}: nothing came for {_PATIENCE_SECONDS:.0f} s")
        except KafkaException as error:
            raise ReadError(f"topic {self._name}: {error.args[0].str()}") from error
        self._is_ready = True

    def take(self, patience_seconds: float) -> list[Reading]:
        """What comes next, as soon as anything does.

        While broker or registry are away nothing comes. Raises ReadError when the registry refuses.
        """
        assert self._consumer is not None, "start comes first"
        if self._assignment.missing():
            self._assign(self._consumer, self._assignment.missing())
        wait = self._ask_at - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, patience_seconds))
            return []
        return self._take(self._consumer, patience_seconds)

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()

    def _assign(self, consumer: Consumer, partitions: set[int]) -> None:
        """Read further partitions, and the others from where they are."""
        known = [TopicPartition(self._name, number, offset) for number, offset in self._assignment.positions.items()]
        fresh = [TopicPartition(self._name, number, OFFSET_BEGINNING) for number in sorted(partitions)]
        consumer.assign([*known, *fresh])
        self._pending.clear()  # positions are those of what was taken in, so these come again
        self._assignment.add(set(partitions))

    def _take(self, consumer: Consumer, patience_seconds: float) -> list[Reading]:
        """Ends of partitions are messages too, and are passed over."""
        found: list[Reading] = []
        while not found and self._fill(consumer, patience_seconds) and self._read_pending(found):
            pass
        return found

    def _read_pending(self, found: list[Reading]) -> bool:
        """What a registry has to explain first stays for the next time when that is away."""
        try:
            while self._pending:
                found += self._read(self._pending[0])
                self._pending.popleft()
        except RegistryError as error:
            if not (self._is_ready and isinstance(error, RegistryAwayError)):
                raise ReadError(f"topic {self._name}: {error}") from error
            self._ask_at = time.monotonic() + _ASK_AGAIN_SECONDS
            self._errors.inc()
            _log.warning("a topic waits", topic=self._name, reason=str(error), seconds=_ASK_AGAIN_SECONDS)
            return False
        return True

    def _fill(self, consumer: Consumer, patience_seconds: float) -> bool:
        """Waits for the first message only."""
        if not self._pending and (first := consumer.poll(patience_seconds)) is not None:
            self._pending.extend((first, *consumer.consume(_BATCH_MESSAGES - 1, timeout=0)))
        return bool(self._pending)

    def _read(self, message: Message) -> list[Reading]:
        partition, offset = message.partition() or 0, message.offset() or 0
        error = message.error()
        if error is not None:
            self._note(partition, offset, error)
            return []
        key, value = message.key(), message.value()
        record, fault = None, ""
        patience = 0.0 if self._is_ready else _PATIENCE_SECONDS
        try:
            (key or b"").decode()
            record = None if value is None else self._registry.decode(self._codec, value, patience)
        except (DecodeError, UnicodeDecodeError) as refusal:
            fault = str(refusal)
        self._assignment.note_next(partition, offset + 1)
        return [Reading(self._name, partition, offset, key, value, record, fault)]

    def _note(self, partition: int, offset: int, error: KafkaError) -> None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's public name for it
            self._assignment.note_end(partition, offset)
            return
        if not self._is_ready:
            raise KafkaException(error)
        self._errors.inc()
        _log.warning("following a topic", topic=self._name, error=error.str())

    def _note_outage(self, error: KafkaError) -> None:
        """What librdkafka reports by itself: told once an outage, which it mends."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - librdkafka's name
            self._errors.inc()
            _log.warning("following a topic", topic=self._name, error=error.str())
