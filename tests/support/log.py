"""The end of a partition: where it is, and how to make one whose last offsets hold no message."""

import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

_PATIENCE_SECONDS = 90.0


def end_of(kafka: str, topic: str, partition: int = 0) -> int:
    """The offset that the next message gets."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "none"})
    try:
        end: int = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
        return end
    finally:
        consumer.close()


def end_with_nothing(kafka: str, topic: str, partition: int = 0) -> None:
    """Append messages of a transaction that is given up, and its marker: three offsets that nobody is given."""
    before = end_of(kafka, topic, partition)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": uuid.uuid4().hex, "log_level": 0})
    producer.init_transactions(_PATIENCE_SECONDS)
    producer.begin_transaction()
    for _ in range(2):
        producer.produce(topic, b"given up", b"key", partition=partition)
    assert producer.flush(_PATIENCE_SECONDS) == 0
    producer.abort_transaction(_PATIENCE_SECONDS)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while end_of(kafka, topic, partition) < before + 3:  # the marker comes a moment later
        assert time.monotonic() < deadline, "no marker was written"
