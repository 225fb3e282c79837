"""Publishes changes of the inventory to the compacted topic, and reads back what the topic holds at start."""

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from agents.cluster.inventory import Change
from agents.errors import WriteError
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.errors import DecodeError
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import KUBERNETES_OBJECTS

_PATIENCE_SECONDS: Final = 30.0
_BATCH: Final = 1000
_CLIENT: Final = "conntrail-cluster-agent"
_log = structlog.get_logger()


class ObjectTopic:
    """The topic ``k8s.objects``. Inert until ``start``."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._name = KUBERNETES_OBJECTS.full_name(settings.topic_prefix)
        self._codec = SingleObjectCodec(read_schema(KUBERNETES_OBJECTS.schema))
        self._producer: Producer | None = None
        self._failure: str | None = None
        self.published = 0

    def start(self) -> None:
        """Connect. Raises WriteError when the topic is not there."""
        configuration = {
            **client_configuration(self._settings, _CLIENT),
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "message.timeout.ms": 0,
        }
        try:
            self._producer = Producer(configuration)
            topic = self._producer.list_topics(self._name, timeout=_PATIENCE_SECONDS).topics[self._name]
        except KafkaException as error:
            raise WriteError(f"Kafka at {self._settings.bootstrap_servers}: {error.args[0].str()}") from error
        if topic.error is not None:
            raise WriteError(f"topic {self._name} does not exist: run conntrail setup")

    def held(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Keys and records that the topic holds, in order. Raises WriteError when the broker stops answering."""
        configuration = {
            **client_configuration(self._settings, _CLIENT),
            "group.id": _CLIENT,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
        consumer = Consumer(configuration)
        try:
            partitions = consumer.list_topics(self._name, timeout=_PATIENCE_SECONDS).topics[self._name].partitions
            for number in partitions:
                yield from self._held_in(consumer, number)
        except KafkaException as error:
            raise WriteError(f"reading {self._name}: {error.args[0].str()}") from error
        finally:
            consumer.close()

    def publish(self, changes: Iterable[Change]) -> None:
        """Send, in order, and wait until the broker has everything. Raises WriteError when it refuses."""
        assert self._producer is not None, "start comes first"
        for change in changes:
            value = None if change.record is None else self._codec.encode(change.record)
            while True:
                try:
                    self._producer.produce(self._name, value, change.key.encode(), on_delivery=self._note)
                except BufferError:
                    self._producer.poll(0.1)
                else:
                    break
            self.published += 1
        while len(self._producer) and self._failure is None:
            self._producer.flush(1.0)
        if self._failure is not None:
            raise WriteError(f"Kafka refused an object: {self._failure}")

    def _held_in(self, consumer: Consumer, number: int) -> Iterator[tuple[str, dict[str, Any] | None]]:
        position = TopicPartition(self._name, number, OFFSET_BEGINNING)
        low, high = consumer.get_watermark_offsets(position, timeout=_PATIENCE_SECONDS)
        if low >= high:
            return
        consumer.assign([position])
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while consumer.position([position])[0].offset < high:
            for message in consumer.consume(_BATCH, timeout=0.2):
                deadline = time.monotonic() + _PATIENCE_SECONDS
                yield from self._decoded(message)
            if time.monotonic() > deadline:
                raise WriteError(f"reading {self._name}: nothing came for {_PATIENCE_SECONDS:.0f} s")

    def _decoded(self, message: Message) -> Iterator[tuple[str, dict[str, Any] | None]]:
        if message.error() is not None:
            return
        try:
            value = message.value()
            yield (message.key() or b"").decode(), None if value is None else self._codec.decode(value)
        except (DecodeError, UnicodeDecodeError) as error:
            _log.warning("the topic holds an unusable record", offset=message.offset(), reason=str(error))

    def _note(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failure = error.str()
