"""Ranges that are read again end where they should, whatever their last offsets hold."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from conntrail.observe.reader import DocumentTopics
from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.single_object import codec_of
from schemas.topic import FLOWS
from streams.source.reader import LogReader
from tests.support.kubernetes_agent import await_that
from tests.support.log import end_of, end_with_nothing
from tests.unit.streams.index.builders import flow

_COMPACTED = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
_AT_ONCE_SECONDS = 25.0
"""Less than the patience of the reader, after which it would give up."""


class Log:
    """A topic of one partition, and a reader of it."""

    def __init__(self, kafka: str, prefix: str, name: str = "log") -> None:
        self.kafka = kafka
        self.settings = KafkaSettings(bootstrap_servers=kafka, topic_prefix=prefix)
        self.topic = prefix + name
        self.reader = LogReader(self.settings, f"{prefix}progress")
        self._producer = Producer({"bootstrap.servers": kafka, "log_level": 0})

    def create(self, **configuration: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.kafka})
        admin.create_topics([NewTopic(self.topic, 1, 1, config=configuration)])[self.topic].result(30)

    def send(self, *values: bytes, key: bytes | None = None) -> None:
        for value in values:
            self._producer.produce(self.topic, value, key, partition=0)
        assert self._producer.flush(30) == 0

    def read(self, start: int, end: int) -> list[bytes | None]:
        """In less time than the reader would wait for what never comes."""
        begun = time.monotonic()
        values = [record.value for record in self.reader.read(self.topic, 0, start, end)]
        assert time.monotonic() - begun < _AT_ONCE_SECONDS
        return values


@pytest.fixture
def log(kafka: str, topic_prefix: str) -> Iterator[Log]:
    made = Log(kafka, topic_prefix)
    yield made
    made.reader.close()


def test_a_range_is_what_was_asked_for(log: Log) -> None:
    log.create()
    log.send(*(str(number).encode() for number in range(10)))
    assert log.read(3, 6) == [b"3", b"4", b"5"]
    assert log.read(8, 99) == [b"8", b"9"]
    assert log.read(10, 99) == []


def test_a_range_that_ends_with_a_transaction_given_up_ends(log: Log) -> None:
    log.create()
    log.send(b"0", b"1")
    end_with_nothing(log.kafka, log.topic)
    end = end_of(log.kafka, log.topic)
    assert log.read(0, end) == [b"0", b"1"]
    assert log.read(1, end - 1) == [b"1"]
    assert log.read(3, end) == []
    log.send(b"5")
    assert log.read(0, end + 1) == [b"0", b"1", b"5"]


def test_a_range_whose_messages_were_compacted_away_ends(log: Log) -> None:
    log.create(**_COMPACTED)
    log.send(b"first", key=b"a")

    def is_compacted() -> bool:
        log.send(b"again", key=b"b")
        return _first_of(log, 1) > 2

    await_that(is_compacted, "an offset is compacted away")
    assert log.read(0, 2) == [b"first"]
    assert log.read(1, 2) == []


def test_flows_shown_from_kafka_end_where_the_topic_ends(kafka: str, topic_prefix: str) -> None:
    log = Log(kafka, topic_prefix, FLOWS.name)
    log.create()
    log.send(codec_of(FLOWS.schema).encode(flow()))
    end_with_nothing(kafka, log.topic)
    complaints: list[str] = []
    topics = DocumentTopics(log.settings, SchemaRegistrySettings(), [FLOWS], complaints.append)
    documents = topics.documents(0, follow=False)
    assert len(list(documents)) == 1
    assert complaints == []


def _first_of(log: Log, start: int) -> int:
    """Offset of the first message at or after an offset."""
    consumer = Consumer({"bootstrap.servers": log.kafka, "group.id": "none", "enable.partition.eof": True})
    consumer.assign([TopicPartition(log.topic, 0, start)])
    try:
        message = consumer.poll(10)
        assert message is not None
        return message.offset() or 0
    finally:
        consumer.close()
