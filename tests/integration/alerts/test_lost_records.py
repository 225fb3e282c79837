"""Records that Kafka removed before alerts were made of them are counted; gaps of other kinds are none."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.registry.reader import RegistryReader
from schemas.topic import DENIALS
from streams.alert.signal.reader import Beginning, SignalReader
from tests.support.kubernetes_agent import await_that
from tests.support.log import end_of, end_with_nothing

PLACE = (DENIALS.name, 0)
_PIECE = b"x" * 900_000
"""A few dozen exceed what the reader holds ahead."""


class Log:
    """The topic of denials, and a reader of it whose records are none that it knows."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.kafka = kafka
        self.topic = DENIALS.full_name(prefix)
        settings = KafkaSettings(bootstrap_servers=kafka, topic_prefix=prefix)
        self.reader = SignalReader(settings, RegistryReader(SchemaRegistrySettings()), (DENIALS,))
        self._admin = AdminClient({"bootstrap.servers": kafka})
        configuration = {"max.message.bytes": "1048576"}
        self._admin.create_topics([NewTopic(self.topic, 1, 1, config=configuration)])[self.topic].result(30)

    def send(self, count: int, value: bytes = b"none") -> None:
        producer = Producer({"bootstrap.servers": self.kafka, "log_level": 0})
        for _ in range(count):
            producer.produce(self.topic, value, partition=0)
        assert producer.flush(30) == 0

    def remove_before(self, offset: int) -> None:
        """As retention does."""
        partition = TopicPartition(self.topic, 0, offset)
        self._admin.delete_records([partition])[partition].result(30)

    def start(self, position: int) -> None:
        self.reader.start({PLACE: position}, Beginning(0))

    def read(self, until: int) -> list[int]:
        """Offsets of what is there up to an offset."""
        offsets: list[int] = []

        def is_read() -> bool:
            offsets.extend(message.offset for message in self.reader.read(0.2))
            return self.reader.positions[PLACE] >= until

        await_that(is_read, f"all up to {until}")
        return offsets


@pytest.fixture
def log(kafka: str, topic_prefix: str) -> Iterator[Log]:
    made = Log(kafka, topic_prefix)
    yield made
    made.reader.close()


def test_what_was_removed_while_nobody_read_is_counted_once(log: Log) -> None:
    log.send(10)
    log.remove_before(7)
    log.start(2)
    assert log.reader.take_lost() == {DENIALS.name: 5}
    assert log.read(10) == [7, 8, 9]
    assert log.reader.take_lost() == {}
    assert log.reader.take_anew() == set()


def test_a_position_that_the_log_still_has_lost_nothing_and_neither_does_a_gap(log: Log) -> None:
    log.send(4)
    end_with_nothing(log.kafka, log.topic)
    log.send(1)
    log.remove_before(2)
    log.start(2)
    assert log.read(end_of(log.kafka, log.topic)) == [2, 3, 7]
    assert log.reader.take_lost() == {}


def test_what_was_removed_ahead_of_a_reader_that_is_behind_is_counted(log: Log) -> None:
    log.send(40, _PIECE)
    log.start(0)
    log.remove_before(40)
    log.send(1)
    offsets = log.read(41)
    lost = log.reader.take_lost()[DENIALS.name]
    assert lost > 0
    assert len(offsets) + lost == 41
    assert offsets[-1] == 40


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(log: Log) -> None:
    log.send(3)
    log.start(1000)
    assert log.reader.take_anew() == {PLACE}
    assert log.read(3) == [0, 1, 2]
    assert log.reader.take_lost() == {}
    assert log.reader.take_anew() == set()
