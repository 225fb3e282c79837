"""Follows the compacted topic of Kubernetes objects with a consumer of its own: all partitions, from the beginning.

No group and no thread: whoever is about to name flows first catches up, so names are never older than the question.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.errors import DecodeError
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import KUBERNETES_OBJECTS
from streams.errors import ReadError

Sink = Callable[[str, Mapping[str, Any] | None], None]
"""Takes the key and the record, or the key and nothing for a tombstone."""

_PATIENCE_SECONDS = 30.0
_BATCH_MESSAGES = 1000
_log = structlog.get_logger()


class MetadataReader:
    """Gives every record of ``k8s.objects`` to its sinks, in the order of the log."""

    def __init__(self, settings: KafkaSettings, sinks: tuple[Sink, ...]) -> None:
        self._topic = KUBERNETES_OBJECTS.full_name(settings.topic_prefix)
        self._codec = SingleObjectCodec(read_schema(KUBERNETES_OBJECTS.schema))
        self._sinks = sinks
        self._configuration = {
            **client_configuration(settings, "conntrail-metadata"),
            "group.id": "conntrail-metadata",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": False,
        }
        self._consumer: Consumer | None = None
        self.undecodable = 0

    def start(self) -> None:
        """Read everything that the topic holds now. Raises ReadError when the broker does not give it."""
        try:
            self._consumer = Consumer(self._configuration)
            metadata = self._consumer.list_topics(self._topic, timeout=_PATIENCE_SECONDS).topics[self._topic]
            positions = [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in metadata.partitions]
            self._consumer.assign(positions)
            self._read_to_end(self._consumer, positions)
        except KafkaException as error:
            raise ReadError(f"metadata topic {self._topic}: {error.args[0].str()}") from error

    def catch_up(self) -> None:
        """Take in what has come since; does not wait."""
        assert self._consumer is not None, "start comes first"
        while True:
            messages = self._consumer.consume(_BATCH_MESSAGES, timeout=0)
            for message in messages:
                self._take(message)
            if len(messages) < _BATCH_MESSAGES:
                return

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()

    def _read_to_end(self, consumer: Consumer, positions: list[TopicPartition]) -> None:
        ends = dict(self._ends(consumer, positions))
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while any(position.offset < ends[position.partition] for position in consumer.position(positions)):
            for message in consumer.consume(_BATCH_MESSAGES, timeout=0.1):
                deadline = time.monotonic() + _PATIENCE_SECONDS
                self._take(message)
            if time.monotonic() > deadline:
                raise ReadError(f"metadata topic {self._topic}: nothing came for {_PATIENCE_SECONDS:.0f} s")

    def _ends(self, consumer: Consumer, positions: list[TopicPartition]) -> Iterator[tuple[int, int]]:
        """Where each partition ends now; an empty one needs no reading."""
        for position in positions:
            low, high = consumer.get_watermark_offsets(position, timeout=_PATIENCE_SECONDS)
            # Before its first message a consumer has no position (a negative number).
            yield position.partition, high if high > low else -(2**31)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            _log.warning("metadata", error=error.str())
            return
        key, value = message.key() or b"", message.value()
        try:
            record = None if value is None else self._codec.decode(value)
            name = key.decode()
        except (DecodeError, UnicodeDecodeError) as fault:
            self.undecodable += 1
            _log.warning("a metadata record is unusable", offset=message.offset(), reason=str(fault))
            return
        for sink in self._sinks:
            sink(name, record)
