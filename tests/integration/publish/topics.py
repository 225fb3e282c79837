"""Topics of the real broker, each test with its own."""

import time
import uuid

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.support.waiting import until

DEADLINE_SECONDS = 90.0


def new_name() -> str:
    return f"publish-{uuid.uuid4().hex[:8]}"


def create(kafka: str, topic: str, partitions: int) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(DEADLINE_SECONDS)
    until(lambda: _is_led(kafka, topic, partitions))


def _is_led(kafka: str, topic: str, partitions: int) -> bool:
    """A new topic's partitions have no leader for a moment."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "none"})
    try:
        for partition in range(partitions):
            consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=5)
    except KafkaException:
        return False
    finally:
        consumer.close()
    return True


def delete(kafka: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_topics([topic])[topic].result(DEADLINE_SECONDS)
    until(lambda: topic not in admin.list_topics(timeout=5).topics)


def exists(kafka: str, topic: str) -> bool:
    return topic in AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=5).topics


def read_all(kafka: str, topic: str, partitions: int) -> list[Message]:
    """All messages, in each partition's order."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "none", "enable.auto.commit": False})
    try:
        ends = {
            partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
            for partition in range(partitions)
        }
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        messages: list[Message] = []
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(messages) < sum(ends.values()):
            assert time.monotonic() < deadline, f"{len(messages)} of {ends}"
            message = consumer.poll(0.2)
            if message is not None:
                assert message.error() is None
                messages.append(message)
        return messages
    finally:
        consumer.close()
