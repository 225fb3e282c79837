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
from schemas.errors import DecodeError, RegistryError
from schemas.group import ALERT_SIGNALS
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import Topic
from streams.alert.signal.intake import Intake, Place
from streams.alert.signal.message import Message
from streams.errors import ReadError

_PATIENCE_SECONDS: Final = 30.0
_BATCH_MESSAGES: Final = 2_000
_QUEUE_KILOBYTES: Final = 16 << 10
_LOOK_SECONDS: Final = 30.0
"""How often new partitions are looked for."""
_AWAY_NS: Final = 5 * 10**9
"""Who has not read for so long does not know where partitions end now."""
_NS_PER_MS: Final = 1_000_000
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where to begin where no position is known, Unix time in ns."""

    since_ns: int


class SignalReader:
    """Blocking: call it in one thread."""

    def __init__(self, settings: KafkaSettings, registry: RegistryReader, topics: Sequence[Topic]) -> None:
        self._topics = {topic.full_name(settings.topic_prefix): topic.name for topic in topics}
        self._names = {own: name for name, own in self._topics.items()}
        self._codecs = {topic.name: codec_of(topic.schema) for topic in topics}
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
        self._intake = Intake()
        self._known: dict[Place, int] = {}
        self._look_at = 0.0
        self._read_ns = 0
        self._lost: Counter[str] = Counter()
        self._anew: set[Place] = set()

    @property
    def positions(self) -> dict[Place, int]:
        """Offset of what ``read`` gives next, of each partition."""
        return {**self._known, **self._intake.positions}

    @property
    def until_ns(self) -> int | None:
        """Nothing is still to come that Kafka took before; None when all that was there has been read."""
        return self._intake.until_ns

    def start(self, positions: Mapping[Place, int], beginning: Beginning) -> None:
        """Go on from these positions. Raises ReadError."""
        self.close()
        self._consumer = Consumer(self._configuration)
        self._known = dict(positions)
        self._assign(beginning)
        self._read_ns = time.time_ns()

    def read(self, wait_seconds: float) -> list[Message]:
        """What comes within the time, at most a batch, in the order in which Kafka took it; what may be later than what
        is still to come waits. Raises ReadError when Kafka does not go on giving, or the registry tells no schema.
        """
        assert self._consumer is not None, "start comes first"
        if time.monotonic() >= self._look_at:
            self._assign(Beginning(0))
        try:
            began_ns = self._find_ends(self._consumer)
            for message in self._consumer.consume(_BATCH_MESSAGES, wait_seconds):
                self._take(message)
            found = self._intake.take(began_ns, time.monotonic())
            self._throttle(self._consumer)
        except KafkaException as error:
            raise ReadError(f"records for alerts: {error.args[0].str()}") from error
        return [self._decoded(message) for message in found]

    def take_lost(self) -> Counter[str]:
        """By topic, records that Kafka had removed before they were read; markers of transactions may be among them."""
        lost, self._lost = self._lost, Counter()
        return lost

    def take_anew(self) -> set[Place]:
        """Partitions whose topic was made anew since it was read: their offsets have begun again."""
        anew, self._anew = self._anew, set()
        return anew

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
        self._intake = Intake()

    def _find_ends(self, consumer: Consumer) -> int:
        """Where partitions end, as the last fetch told; who was away asks. When that was, Unix, ns."""
        began_ns = time.time_ns()
        is_fresh = began_ns - self._read_ns < _AWAY_NS
        self._read_ns = began_ns
        for one in consumer.assignment():
            offsets = consumer.get_watermark_offsets(one, timeout=_PATIENCE_SECONDS, cached=is_fresh)
            self._intake.look(self._place(one), offsets[1])
        if not is_fresh:
            self._intake.wait_anew(time.monotonic())
        return began_ns

    def _take(self, message: KafkaMessage) -> None:
        one = TopicPartition(message.topic() or "", message.partition() or 0)
        place, error, at = self._place(one), message.error(), time.monotonic()
        if error is None:
            written_at_ns = _written_at_ns(message)
            key, value = message.key(), message.value()
            self._intake.add(Message(*place, message.offset() or 0, key, value, None, "", written_at_ns), at)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            self._intake.pass_end(place, at)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - likewise
            self._pass_over(one)
        else:
            raise ReadError(f"topic {one.topic}: {error.str()}")

    def _decoded(self, message: Message) -> Message:
        if message.value is None:
            return message
        try:
            codec = self._codecs[message.topic]
            return message._replace(record=self._registry.decode(codec, message.value, _PATIENCE_SECONDS))
        except DecodeError as fault:
            return message._replace(fault=str(fault))
        except RegistryError as error:
            raise ReadError(f"records for alerts: {error}") from error

    def _throttle(self, consumer: Consumer) -> None:
        """Let partitions that are far ahead wait for the others."""
        for places, act in ((self._intake.to_resume(), consumer.resume), (self._intake.to_pause(), consumer.pause)):
            if places:
                act([TopicPartition(self._names[topic], number) for topic, number in places])

    def _place(self, one: TopicPartition) -> Place:
        return self._topics[one.topic], one.partition

    def _assign(self, beginning: Beginning) -> None:
        """Partitions that are new, too."""
        assert self._consumer is not None
        self._look_at = time.monotonic() + _LOOK_SECONDS
        try:
            there = self._consumer.list_topics(timeout=_PATIENCE_SECONDS).topics
            places = [(name, number) for name in self._topics if name in there for number in there[name].partitions]
            assigned = {(known.topic, known.partition) for known in self._consumer.assignment()}
            missing = [TopicPartition(*place) for place in places if place not in assigned]
            if missing:
                self._begin(missing, beginning)
                self._consumer.incremental_assign(missing)
        except KafkaException as error:
            raise ReadError(f"records for alerts: {error.args[0].str()}") from error

    def _begin(self, partitions: Sequence[TopicPartition], beginning: Beginning) -> None:
        """Where nothing is known of a partition that has no record since the beginning, its end before we asked: what
        comes between asking and reading is not passed over.
        """
        ends = {self._place(one): self._bounds(one) for one in partitions}
        known = [one for one in partitions if self._place(one) in self._known]
        unknown = [one for one in partitions if self._place(one) not in self._known]
        for one in known:
            one.offset = self._known[self._place(one)]
        self._note_lost(known, ends)
        for one, offset in zip(unknown, self._first_since(unknown, beginning.since_ns), strict=True):
            one.offset = offset if offset >= 0 else ends[self._place(one)][1]
        for one in partitions:
            self._intake.begin(self._place(one), one.offset, ends[self._place(one)][1], time.monotonic())

    def _first_since(self, partitions: Sequence[TopicPartition], since_ns: int) -> list[int]:
        """Offsets, negative where there is nothing since."""
        assert self._consumer is not None
        asked = [TopicPartition(one.topic, one.partition, since_ns // _NS_PER_MS) for one in partitions]
        found = self._consumer.offsets_for_times(asked, timeout=_PATIENCE_SECONDS) if asked else []
        first = {(one.topic, one.partition): one.offset for one in found}
        return [first[one.topic, one.partition] for one in partitions]

    def _bounds(self, one: TopicPartition) -> tuple[int, int]:
        assert self._consumer is not None
        first, end = self._consumer.get_watermark_offsets(one, timeout=_PATIENCE_SECONDS)
        return first, end

    def _pass_over(self, one: TopicPartition) -> None:
        """Go on with what the partition still has. Raises ReadError when its topic was made anew: begin again."""
        assert self._consumer is not None
        place, bounds = self._place(one), self._bounds(one)
        one.offset = self._intake.next(place)
        if one.offset > bounds[1]:
            raise ReadError(f"topic {one.topic} was made anew")
        self._consumer.incremental_unassign([one])
        self._note_lost([one], {place: bounds})
        self._intake.move(place, one.offset, bounds[1])
        self._consumer.incremental_assign([one])
        self._consumer.resume([one])  # it may have been paused since

    def _note_lost(self, partitions: Sequence[TopicPartition], bounds: Mapping[Place, tuple[int, int]]) -> None:
        """Move offsets that their partition does not hold to where it begins. A topic that was made anew ends before
        them: of what it had, nobody knows.
        """
        lost: Counter[str] = Counter()
        for one in partitions:
            place = self._place(one)
            first, end = bounds[place]
            if one.offset > end:
                self._anew.add(place)
            if not first <= one.offset <= end:
                lost[place[0]] += max(0, first - one.offset)
                one.offset = first
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
