"""Reads the records of which alerts are made, all partitions of all topics, from where the state of the alerts ends."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.errors import DecodeError
from schemas.group import ALERT_SIGNALS
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import Topic
from streams.alert.signal.message import Message
from streams.errors import ReadError

_PATIENCE_SECONDS: Final = 30.0
_BATCH_MESSAGES: Final = 2_000
_QUEUE_KILOBYTES: Final = 16 << 10
_LOOK_SECONDS: Final = 30.0
"""How often new partitions are looked for."""
_NS_PER_MS: Final = 1_000_000
_log = structlog.get_logger()
Place = tuple[str, int]
"""Topic without its prefix, and partition."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where to begin where no position is known, Unix time in ns."""

    since_ns: int


class SignalReader:
    """Blocking: call it in one thread."""

    def __init__(self, settings: KafkaSettings, registry: RegistryReader, topics: Sequence[Topic]) -> None:
        self._topics = {topic.full_name(settings.topic_prefix): topic for topic in topics}
        self._codecs = {name: codec_of(topic.schema) for name, topic in self._topics.items()}
        self._registry = registry
        self._configuration = {
            **client_configuration(settings, "conntrail-alerts"),
            "group.id": settings.topic_prefix + ALERT_SIGNALS,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",  # what is not there any more is counted
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": _QUEUE_KILOBYTES,
            "log_level": 0,  # its errors come through error_cb
            "error_cb": _note_error,
        }
        self._consumer: Consumer | None = None
        self._unread: set[Place] = set()
        self._look_at = 0.0
        self.positions: dict[Place, int] = {}
        """Next offset of each partition."""
        self._lost: Counter[str] = Counter()

    @property
    def has_caught_up(self) -> bool:
        """Everything that was there has been read."""
        return not self._unread

    def start(self, positions: Mapping[Place, int], beginning: Beginning) -> None:
        """Go on from these positions. Raises ReadError."""
        self.close()
        self._consumer = Consumer(self._configuration)
        self.positions = dict(positions)
        self._assign(beginning)

    def read(self, wait_seconds: float) -> list[Message]:
        """What comes within the time, at most a batch. Raises ReadError when Kafka does not go on giving."""
        assert self._consumer is not None, "start comes first"
        if time.monotonic() >= self._look_at:
            self._assign(Beginning(0))
        try:
            messages = self._consumer.consume(_BATCH_MESSAGES, wait_seconds)
        except KafkaException as error:
            raise ReadError(f"records for alerts: {error.args[0].str()}") from error
        return [taken for message in messages if (taken := self._take(message)) is not None]

    def take_lost(self) -> Counter[str]:
        """By topic, records that Kafka had removed before they were read; markers of transactions may be among them."""
        lost, self._lost = self._lost, Counter()
        return lost

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
        self._unread = set()

    def _take(self, message: KafkaMessage) -> Message | None:
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        place = (self._topics[topic].name, partition)
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                self._unread.discard(place)
                return None
            if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - likewise
                self._pass_over(TopicPartition(topic, partition))
                return None
            raise ReadError(f"topic {topic}: {error.str()}")
        self.positions[place] = offset + 1
        key, value = message.key(), message.value()
        try:
            record = None if value is None else self._registry.decode(self._codecs[topic], value, _PATIENCE_SECONDS)
        except DecodeError as fault:
            return Message(*place, offset, key, value, None, str(fault))
        return Message(*place, offset, key, value, record, written_at_ns=_written_at_ns(message))

    def _assign(self, beginning: Beginning) -> None:
        """Partitions that are new, too."""
        assert self._consumer is not None
        self._look_at = time.monotonic() + _LOOK_SECONDS
        try:
            there = self._consumer.list_topics(timeout=_PATIENCE_SECONDS).topics
            places = [(name, number) for name in self._topics if name in there for number in there[name].partitions]
            assigned = {(known.topic, known.partition) for known in self._consumer.assignment()}
            missing = [place for place in places if place not in assigned]
            if missing:
                self._consumer.incremental_assign(self._offsets(missing, beginning))
                self._unread |= {(self._topics[name].name, number) for name, number in missing}
        except KafkaException as error:
            raise ReadError(f"records for alerts: {error.args[0].str()}") from error

    def _offsets(self, places: Sequence[Place], beginning: Beginning) -> list[TopicPartition]:
        """Where nothing is known of a partition that has no record since the beginning, its end before we asked: what
        comes between asking and reading is not passed over.
        """
        assert self._consumer is not None
        own = {place: (self._topics[place[0]].name, place[1]) for place in places}
        unknown = [TopicPartition(*place) for place in places if own[place] not in self.positions]
        ends = [self._consumer.get_watermark_offsets(one, timeout=_PATIENCE_SECONDS)[1] for one in unknown]
        for one in unknown:
            one.offset = beginning.since_ns // _NS_PER_MS
        self._note_lost([TopicPartition(*place) for place in places if own[place] in self.positions])
        found = self._consumer.offsets_for_times(unknown, timeout=_PATIENCE_SECONDS) if unknown else []
        first = {(one.topic, one.partition): one.offset for one in found}
        for one, end in zip(unknown, ends, strict=True):
            offset = first[one.topic, one.partition]
            self.positions[own[one.topic, one.partition]] = offset if offset >= 0 else end
        return [TopicPartition(*place, self.positions[own[place]]) for place in places]

    def _pass_over(self, partition: TopicPartition) -> None:
        """Go on with what the partition still has."""
        assert self._consumer is not None
        try:
            self._note_lost([partition])
            self._consumer.incremental_unassign([partition])
            partition.offset = self.positions[self._topics[partition.topic].name, partition.partition]
            self._consumer.incremental_assign([partition])
        except KafkaException as error:
            raise ReadError(f"records for alerts: {error.args[0].str()}") from error

    def _note_lost(self, partitions: Sequence[TopicPartition]) -> None:
        """Move positions that their partition does not hold to where it begins. A topic that was made anew ends before
        them: of what it had, nobody knows.
        """
        assert self._consumer is not None
        lost: Counter[str] = Counter()
        for one in partitions:
            first, end = self._consumer.get_watermark_offsets(one, timeout=_PATIENCE_SECONDS)
            place = (self._topics[one.topic].name, one.partition)
            if not first <= self.positions[place] <= end:
                lost[place[0]] += max(0, first - self.positions[place])
                self.positions[place] = first
        if lost.total():
            _log.error(
                "Kafka removed records before alerts were made of them: keep these topics for longer than the worker"
                " may be away or behind",
                topics=dict(lost),
                lost_at_most=lost.total(),
            )
        self._lost += lost


def _written_at_ns(message: KafkaMessage) -> int:
    kind, at_ms = message.timestamp()
    return 0 if kind == TIMESTAMP_NOT_AVAILABLE else at_ms * _NS_PER_MS


def _note_error(error: KafkaError) -> None:
    _log.warning("kafka", error=error.str())
