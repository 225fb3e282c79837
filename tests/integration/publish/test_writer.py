"""Intervals reach a real Kafka whole, in order and under their own names, whatever happens to the topic."""

from io import BytesIO
from pathlib import Path

import fastavro
import numpy as np
import pytest
from confluent_kafka import Message
from prometheus_client import CollectorRegistry

from agents.errors import ReadError
from agents.publish.column import LongColumn
from agents.publish.directory.reader import list_intervals, read_interval
from agents.publish.directory.writer import StateDirectory
from agents.publish.interval import Facts, Interval, IntervalEncoder
from agents.publish.metrics import PublishMetrics
from agents.publish.spool import Spool, Storage
from agents.publish.writer import Destination, IntervalWriter
from schemas.batch import Batch, parse_batch
from tests.integration.publish import topics
from tests.support.stack import RunningStack
from tests.support.waiting import until

pytestmark = pytest.mark.stack

SCHEMA = {"type": "record", "name": "Row", "fields": [{"name": "flow_key", "type": "long"}]}
ENCODER = IntervalEncoder(SCHEMA, "flow_key")
ROWS = 50


def interval(sequence: int, partitions: int, *, is_sure: bool = True) -> Interval:
    keys = np.arange(ROWS, dtype=np.int64) * 1_000_003 + sequence
    facts = Facts("cluster", "node", "boot", sequence, sequence * 10 + 1, sequence * 10 + 11, "complete", {})
    return ENCODER.encode(facts, {"flow_key": LongColumn(keys)}, partitions, is_sure=is_sure)


class Publishing:
    """A writer with a spool in memory, and one on disk where a directory is given."""

    def __init__(self, kafka: str, topic: str, directory: Path | None = None) -> None:
        self.spool = Spool(1 << 20, 1 << 24 if directory else 0)
        self.forgotten: list[int] = []
        self.registry = CollectorRegistry()
        self.directory = directory
        destination = Destination({"bootstrap.servers": kafka, "client.id": "test"}, topic, b"node")
        metrics = PublishMetrics(self.registry)
        storage = Storage(self._load, self.forgotten.append)
        self.writer = IntervalWriter(destination, self.spool, storage, ENCODER, metrics)
        self.writer.start()

    def _load(self, sequence: int) -> Interval:
        if self.directory is None:
            raise ReadError("nothing on disk")
        return read_interval(self.directory, sequence)

    def send_all(self) -> None:
        def is_sent() -> bool:
            self.writer.advance()
            return not len(self.spool)

        until(is_sent)

    def turn_until_fault(self, text: str) -> None:
        def is_told() -> bool:
            self.writer.advance()
            return any(text in fault for fault in self.writer.faults())

        until(is_told)


def batch_of(message: Message) -> Batch:
    return parse_batch(fastavro.reader(BytesIO(message.value())).metadata)


def test_intervals_arrive_whole_in_order_and_then_leave_the_spool(kafka: str) -> None:
    topic = topics.new_name()
    topics.create(kafka, topic, 3)
    publishing = Publishing(kafka, topic)
    for sequence in range(20):
        publishing.spool.add(interval(sequence, 3))
    publishing.send_all()
    publishing.writer.stop()
    messages = topics.read_all(kafka, topic, 3)
    for partition in range(3):
        own = [batch_of(message) for message in messages if message.partition() == partition]
        assert [batch.sequence for batch in own] == list(range(20))
        assert {batch.partition for batch in own} == {partition}
    assert {message.key() for message in messages} == {b"node"}
    assert publishing.forgotten == list(range(20))
    assert publishing.writer.faults() == []
    assert publishing.registry.get_sample_value("conntrail_publish_intervals_total") == 20


def test_a_missing_topic_is_said_once_and_not_created_by_accident(kafka: str) -> None:
    topic = topics.new_name()
    publishing = Publishing(kafka, topic)
    publishing.spool.add(interval(0, 3))
    publishing.turn_until_fault("run `conntrail setup`")
    assert not topics.exists(kafka, topic)
    assert publishing.writer.partitions == 0
    topics.create(kafka, topic, 3)
    publishing.send_all()
    publishing.writer.stop()
    assert len(topics.read_all(kafka, topic, 3)) == 3


def test_rows_divided_by_a_guess_go_where_the_topic_wants_them(kafka: str) -> None:
    topic = topics.new_name()
    topics.create(kafka, topic, 4)
    publishing = Publishing(kafka, topic)
    publishing.spool.add(interval(0, 6, is_sure=False))
    publishing.send_all()
    publishing.writer.stop()
    messages = topics.read_all(kafka, topic, 4)
    rows = [
        (message.partition(), row["flow_key"])
        for message in messages
        for row in fastavro.reader(BytesIO(message.value()))
    ]
    assert len(rows) == ROWS
    assert all(key % 4 == partition for partition, key in rows)
    assert {batch_of(message).partitions for message in messages} == {4}


def test_a_topic_deleted_and_made_anew_gets_everything_again(kafka: str) -> None:
    topic = topics.new_name()
    topics.create(kafka, topic, 2)
    publishing = Publishing(kafka, topic)
    publishing.spool.add(interval(0, 2))
    publishing.send_all()
    topics.delete(kafka, topic)
    for sequence in range(1, 4):
        publishing.spool.add(interval(sequence, 2))
    publishing.writer.advance()
    topics.create(kafka, topic, 2)
    publishing.send_all()
    publishing.writer.stop()
    sequences = {batch_of(message).sequence for message in topics.read_all(kafka, topic, 2)}
    assert sequences == {1, 2, 3}


def test_intervals_on_disk_are_sent_by_the_next_life_under_the_same_name(kafka: str, tmp_path: Path) -> None:
    directory = StateDirectory(tmp_path)
    directory.open()
    for sequence in range(3):
        directory.write_interval(interval(sequence, 2))
    directory.close()
    topic = topics.new_name()
    topics.create(kafka, topic, 2)
    publishing = Publishing(kafka, topic, tmp_path)
    for sequence, size_bytes in list_intervals(tmp_path):
        publishing.spool.add_stored(sequence, size_bytes)
    publishing.send_all()
    publishing.writer.stop()
    expected = {(sequence, message.value) for sequence in range(3) for message in interval(sequence, 2).messages}
    assert {(batch_of(message).sequence, message.value()) for message in topics.read_all(kafka, topic, 2)} == expected


def test_an_interval_that_cannot_be_read_back_is_counted_and_does_not_stop_the_others(
    kafka: str, tmp_path: Path
) -> None:
    topic = topics.new_name()
    topics.create(kafka, topic, 2)
    publishing = Publishing(kafka, topic, tmp_path)
    (tmp_path / f"{0:020d}.interval").write_bytes(b"torn by a full disk")
    for sequence, size_bytes in list_intervals(tmp_path):
        publishing.spool.add_stored(sequence, size_bytes)
    publishing.spool.add(interval(1, 2))
    publishing.send_all()
    publishing.writer.stop()
    assert {batch_of(message).sequence for message in topics.read_all(kafka, topic, 2)} == {1}
    dropped = publishing.registry.get_sample_value("conntrail_publish_dropped_intervals_total", {"cause": "unreadable"})
    assert dropped == 1


def test_without_kafka_nothing_blocks_and_the_fault_is_named() -> None:
    publishing = Publishing("127.0.0.1:1", "nowhere")
    publishing.spool.add(interval(0, 2))
    publishing.turn_until_fault("Kafka")
    assert not publishing.writer.flush(0.2)
    publishing.writer.stop()
    assert publishing.spool.sequences() == [0]


@pytest.mark.parametrize("is_killed", [False, True])
def test_after_an_outage_everything_arrives_in_order(stack: RunningStack, is_killed: bool) -> None:
    topic = topics.new_name()
    topics.create(stack.kafka, topic, 3)
    publishing = Publishing(stack.kafka, topic)
    publishing.spool.add(interval(0, 3))
    publishing.send_all()
    stack.stop("kafka", is_killed=is_killed)
    try:
        for sequence in range(1, 200):
            publishing.spool.add(interval(sequence, 3))
            publishing.writer.advance()
        publishing.turn_until_fault("down")
        assert len(publishing.spool) == 199
    finally:
        stack.start("kafka")
    publishing.send_all()
    assert publishing.writer.faults() == []
    publishing.writer.stop()
    messages = topics.read_all(stack.kafka, topic, 3)
    for partition in range(3):
        own = [batch_of(message).sequence for message in messages if message.partition() == partition]
        assert own == list(range(200))
