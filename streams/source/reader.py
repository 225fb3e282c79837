"""Reads ranges of a topic again, beside Faust, and remembers how far results are final.

Faust was measured to skip offsets around rebalances and to commit past them. So the truth about progress is a
consumer group of our own, committed only when results are delivered, and what Faust does not give is read here.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from streams.errors import ReadError

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 1.0
_NS_PER_MS = 1_000_000


class LogRecord(NamedTuple):
    """One message of a range."""

    offset: int
    key: bytes | None
    value: bytes | None


class LogReader:
    """Reads ranges of partitions and keeps committed progress. Blocking: call it in a thread."""

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        """``group`` holds the progress; it has no other members."""
        self._configuration = {
            **client_configuration(settings, group),
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            # The offsets before the end may hold no message: compacted away, aborted, or a transaction's marker.
            "enable.partition.eof": True,
            "log_level": 0,  # what fails is an error of the call that needed it
        }
        self._consumer: Consumer | None = None

    def progress(self, topic: str, partition: int) -> int:
        """First offset whose results are not final; the oldest kept one when nothing was committed or it expired.

        Raises ReadError when the broker does not answer.
        """
        try:
            consumer = self._connected()
            position = TopicPartition(topic, partition)
            committed = consumer.committed([position], timeout=_PATIENCE_SECONDS)[0].offset
            low, _ = consumer.get_watermark_offsets(position, timeout=_PATIENCE_SECONDS)
        except KafkaException as error:
            raise ReadError(f"progress of {topic}/{partition}: {error.args[0].str()}") from error
        return max(committed, low)

    def save_progress(self, positions: dict[tuple[str, int], int]) -> None:
        """Commit, for each (topic, partition), the first offset that is not final. Raises ReadError."""
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in positions.items()]
        try:
            self._connected().commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise ReadError(f"saving progress: {error.args[0].str()}") from error

    def offset_at(self, topic: str, partition: int, at_ns: int) -> int | None:
        """First offset produced at or after an instant (Unix time, ns); None when there is none."""
        question = TopicPartition(topic, partition, at_ns // _NS_PER_MS)
        try:
            answer = self._connected().offsets_for_times([question], timeout=_PATIENCE_SECONDS)[0]
        except KafkaException as error:
            raise ReadError(f"offsets of {topic}/{partition}: {error.args[0].str()}") from error
        return answer.offset if answer.offset >= 0 else None

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[LogRecord]:
        """Messages with offsets in [start, end) that the broker still has. Raises ReadError when it stops answering."""
        consumer = self._connected()
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_PATIENCE_SECONDS)
            start, end = max(start, low), min(end, high)
            if start >= end:
                return
            consumer.assign([TopicPartition(topic, partition, start)])
            yield from self._poll_until(consumer, end)
        except KafkaException as error:
            raise ReadError(f"reading {topic}/{partition} again: {error.args[0].str()}") from error
        finally:
            consumer.unassign()

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()

    def _poll_until(self, consumer: Consumer, end: int) -> Iterator[LogRecord]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            message = consumer.poll(_POLL_SECONDS)
            if message is None:
                if time.monotonic() > deadline:
                    raise ReadError(f"no message for {_PATIENCE_SECONDS:.0f} s while offsets below {end} are missing")
                continue
            deadline = time.monotonic() + _PATIENCE_SECONDS
            error, offset = message.error(), message.offset()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
                raise KafkaException(error)
            if offset is None or offset >= end:
                return
            if error is None:
                yield LogRecord(offset, message.key(), message.value())
                if offset == end - 1:
                    return

    def _connected(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(self._configuration)
        return self._consumer
