"""Records of several topics are read in the order in which Kafka took them, however far apart they are fetched."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.registry.reader import RegistryReader
from schemas.topic import DENIALS, NODES, WINDOWS, Topic
from streams.alert.signal.message import Message
from streams.alert.signal.reader import Beginning, SignalReader
from tests.support.kubernetes_agent import await_that
from tests.support.log import end_with_nothing

TOPICS = (DENIALS, NODES, WINDOWS)


class Logs:
    """Topics of one partition, and a reader of them whose records are none that it knows."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.kafka = kafka
        self._prefix = prefix
        settings = KafkaSettings(bootstrap_servers=kafka, topic_prefix=prefix)
        self.reader = SignalReader(settings, RegistryReader(SchemaRegistrySettings()), TOPICS)
        admin = AdminClient({"bootstrap.servers": kafka})
        for made in admin.create_topics([NewTopic(self.name(topic), 1, 1) for topic in TOPICS]).values():
            made.result(30)
        self._began_ms = time.time_ns() // 10**6 - 600_000

    def name(self, topic: Topic) -> str:
        return topic.full_name(self._prefix)

    def send(self, topic: Topic, count: int, *, every_ms: int, value: bytes = b"none") -> None:
        producer = Producer({"bootstrap.servers": self.kafka, "log_level": 0})
        for turn in range(count):
            producer.produce(self.name(topic), value, partition=0, timestamp=self._began_ms + turn * every_ms)
            if turn % 1000 == 0:
                producer.flush(30)
        assert producer.flush(30) == 0

    def read_all(self) -> list[Message]:
        found: list[Message] = []

        def is_read() -> bool:
            found.extend(self.reader.read(0.2))
            return self.reader.until_ns is None

        await_that(is_read, "all that is there")
        return found


@pytest.fixture
def logs(kafka: str, topic_prefix: str) -> Iterator[Logs]:
    made = Logs(kafka, topic_prefix)
    yield made
    made.reader.close()


def test_topics_are_read_in_the_order_in_which_kafka_took_their_records(logs: Logs) -> None:
    """Many small ones of one topic are fetched before the large ones of the other, and none is passed over."""
    logs.send(DENIALS, 60_000, every_ms=1)
    logs.send(WINDOWS, 600, every_ms=100, value=b"x" * 100_000)
    end_with_nothing(logs.kafka, logs.name(WINDOWS))
    logs.reader.start({}, Beginning(0))
    assert logs.reader.until_ns == 0
    found = logs.read_all()
    written = [message.written_at_ns for message in found]
    assert written == sorted(written)
    for topic, count in ((DENIALS, 60_000), (WINDOWS, 600)):
        assert [message.offset for message in found if message.topic == topic.name] == list(range(count))


def test_what_has_been_read_and_waits_is_read_again_by_who_goes_on(logs: Logs) -> None:
    logs.send(DENIALS, 30_000, every_ms=10)
    logs.send(NODES, 30_000, every_ms=10)
    logs.reader.start({}, Beginning(0))
    first: list[Message] = []
    while len(first) < 10_000:
        first += logs.reader.read(0.2)
    logs.reader.start(logs.reader.positions, Beginning(0))
    found = [*first, *logs.read_all()]
    written = [message.written_at_ns for message in found]
    assert written == sorted(written)
    for topic in (DENIALS, NODES):
        assert [message.offset for message in found if message.topic == topic.name] == list(range(30_000))
