"""What the cluster agent tells beside the objects, as a reader of its topics sees it."""

from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import CHANGES, DEAD_LETTER, KUBERNETES_AUDIT, KUBERNETES_EVENTS

Record = dict[str, Any]
_TOPICS = (KUBERNETES_EVENTS, KUBERNETES_AUDIT, CHANGES, DEAD_LETTER)
_PARTITIONS = 2


class FeedView:
    """Every record of the four topics, in the order of its partition."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self._names = {topic.full_name(prefix): topic for topic in _TOPICS}
        admin = AdminClient({"bootstrap.servers": kafka})
        for made in admin.create_topics([NewTopic(name, _PARTITIONS, 1) for name in self._names]).values():
            made.result(30)
        self._codecs = {name: SingleObjectCodec(read_schema(topic.schema)) for name, topic in self._names.items()}
        self._consumer = Consumer(
            {"bootstrap.servers": kafka, "group.id": f"{prefix}feed", "enable.auto.commit": False}
        )
        self._consumer.assign(
            [TopicPartition(name, number, OFFSET_BEGINNING) for name in self._names for number in range(_PARTITIONS)]
        )
        self._records: dict[str, list[Record]] = {topic.name: [] for topic in _TOPICS}

    def events(self) -> list[Record]:
        return self._read(KUBERNETES_EVENTS.name)

    def audit(self) -> list[Record]:
        return self._read(KUBERNETES_AUDIT.name)

    def changes(self) -> list[Record]:
        return self._read(CHANGES.name)

    def letters(self) -> list[Record]:
        return self._read(DEAD_LETTER.name)

    def close(self) -> None:
        self._consumer.close()

    def _read(self, topic: str) -> list[Record]:
        while messages := self._consumer.consume(1000, timeout=0.1):
            for message in messages:
                assert message.error() is None, message.error()
                name = message.topic() or ""
                self._records[self._names[name].name].append(self._codecs[name].decode(message.value() or b""))
        return self._records[topic]
