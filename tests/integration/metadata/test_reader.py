"""The metadata topic on a real broker: read whole, followed, over its changes and outages."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from prometheus_client import CollectorRegistry

from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.schema import schema_text
from schemas.single_object import codec_of
from streams.compacted.reader import Reading
from streams.errors import ReadError, StreamError
from streams.metadata.builder import DirectoryBuilder
from streams.metadata.counters import MetadataCounters
from streams.metadata.reader import MetadataReader, Takers
from streams.metadata.writer import DeadLetterWriter
from streams.source.share import RefusalShare
from tests.support.log import end_of, end_with_nothing
from tests.support.objects import deleted, key_of, pod
from tests.support.registry import running_registry
from tests.support.stack import RunningStack
from tests.support.waiting import until

_DEADLINE_SECONDS = 120.0
_CODEC = codec_of("kubernetes_object")
Record = Mapping[str, Any]


class Metadata:
    """A topic of the test's own, and a reader of it."""

    def __init__(self, kafka: str, prefix: str, registry_url: str = "") -> None:
        self.kafka = kafka
        self.registry_settings = SchemaRegistrySettings(url=registry_url)
        self.topic = f"{prefix}k8s.objects"
        self.admin = AdminClient({"bootstrap.servers": kafka})
        self.settings = KafkaSettings(bootstrap_servers=kafka, topic_prefix=prefix)
        self.registry = CollectorRegistry()
        self.counters = MetadataCounters(self.registry)
        self.builder = DirectoryBuilder()
        self.refused: list[Reading] = []
        self.reader = self.new_reader()

    def new_reader(self) -> MetadataReader:
        registry = RegistryReader(self.registry_settings)
        takers = Takers((self.builder.apply,), self.refused.append, RefusalShare(self.topic, 0.5))
        return MetadataReader(self.settings, registry, takers, self.counters)

    def create(self, partitions: int, **configuration: str) -> None:
        topic = NewTopic(self.topic, partitions, 1, config=configuration)
        self.admin.create_topics([topic])[self.topic].result(_DEADLINE_SECONDS)

    def send(self, *records: Record, partition: int = 0) -> None:
        for record in records:
            self.send_bytes(key_of(dict(record)).encode(), _CODEC.encode(dict(record)), partition)

    def send_bytes(self, key: bytes | None, value: bytes | None, partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": self.kafka})
        producer.produce(self.topic, value, key, partition=partition)
        assert producer.flush(_DEADLINE_SECONDS) == 0

    def names(self) -> set[str]:
        self.reader.catch_up()
        directory = self.builder.directory(self.reader.version)
        return {directory.endpoints[index].name for index in directory.claims["index"]}

    def figure(self, name: str) -> float:
        return self.registry.get_sample_value(f"conntrail_worker_metadata_{name}") or 0.0


@pytest.fixture
def metadata(kafka: str, topic_prefix: str) -> Iterator[Metadata]:
    made = Metadata(kafka, topic_prefix)
    yield made
    made.reader.close()


def test_it_has_read_everything_when_it_starts(metadata: Metadata) -> None:
    metadata.create(3)
    for number in range(60):
        metadata.send(pod(f"web-{number}", f"10.0.0.{number}"), partition=number % 2)
    metadata.reader.start()
    assert metadata.names() == {f"web-{number}" for number in range(60)}
    assert metadata.reader.version == 60
    assert metadata.figure("records_total") == 60
    assert metadata.figure("partitions") == 3


def test_an_empty_topic_is_read_at_once(metadata: Metadata) -> None:
    metadata.create(4)
    metadata.reader.start()
    assert metadata.names() == set()
    assert metadata.reader.version == 0


def test_a_topic_that_comes_within_moments_is_waited_for(metadata: Metadata) -> None:
    with ThreadPoolExecutor() as pool:
        started = pool.submit(metadata.reader.start)
        metadata.create(2)
        started.result(_DEADLINE_SECONDS)
    assert metadata.figure("partitions") == 2


def test_a_topic_that_is_not_there_is_an_error_that_names_it(metadata: Metadata) -> None:
    with pytest.raises(ReadError, match=metadata.topic):
        metadata.reader.start()


def test_it_follows_what_comes_and_keeps_names_of_what_goes(metadata: Metadata) -> None:
    metadata.create(1)
    web, api = pod("web", "10.0.0.7"), pod("api", "10.0.0.8")
    metadata.send(web)
    metadata.reader.start()
    metadata.send(api)
    until(lambda: metadata.names() == {"web", "api"})
    metadata.send(deleted(web, at=9))
    metadata.send_bytes(key_of(web).encode(), None)
    until(lambda: metadata.names() == {"web", "api"} and metadata.reader.version == 4)
    assert metadata.builder.directory(metadata.reader.version).claims["valid_to_ns"].min() == 9 * 10**9


def test_what_is_no_object_is_counted_handed_over_and_passed(metadata: Metadata) -> None:
    metadata.create(1)
    metadata.send_bytes(b"Pod/shop/broken", b"\xc3\x01 no such schema")
    metadata.send_bytes(b"\xff\xfe", _CODEC.encode(pod("odd", "10.0.0.9")))
    metadata.send(pod("web", "10.0.0.7"))
    metadata.reader.start()
    assert metadata.names() == {"web"}
    assert metadata.reader.version == 3
    assert metadata.figure("unusable_records_total") == 2
    assert [(refused.offset, refused.key) for refused in metadata.refused] == [
        (0, b"Pod/shop/broken"), (1, b"\xff\xfe"),
    ]  # fmt: skip


def test_a_topic_that_is_mostly_of_no_use_is_an_error_instead_of_a_cluster_without_names(metadata: Metadata) -> None:
    metadata.create(1)
    for number in range(30):
        metadata.send_bytes(f"Pod/shop/{number}".encode(), b"\xc3\x01 no such schema")
    with pytest.raises(
        StreamError, match=r"20 of the last 20 messages of .*k8s\.objects cannot be used.*another schema"
    ):
        metadata.reader.start()


def test_partitions_that_are_added_are_read_from_their_beginning(metadata: Metadata) -> None:
    metadata.create(1)
    metadata.send(pod("web", "10.0.0.7"))
    metadata.reader.start()
    metadata.admin.create_partitions([NewPartitions(metadata.topic, 3)])[metadata.topic].result(_DEADLINE_SECONDS)

    def has_grown() -> bool:
        return len(metadata.admin.list_topics(metadata.topic, timeout=5).topics[metadata.topic].partitions) == 3

    until(has_grown)
    metadata.send(pod("api", "10.0.0.8"), partition=1)
    metadata.send(pod("db", "10.0.0.9"), partition=2)
    until(lambda: metadata.names() == {"web", "api", "db"})
    metadata.send(pod("more", "10.0.0.10"), partition=0)
    until(lambda: metadata.names() == {"web", "api", "db", "more"})
    assert metadata.figure("records_total") == 4


def test_the_version_counts_offsets_so_that_compaction_does_not_lower_it(metadata: Metadata, kafka: str) -> None:
    compaction = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
    metadata.create(1, **compaction)
    metadata.reader.start()
    web = pod("web", "10.0.0.7")

    def is_compacted() -> bool:
        metadata.send(web)
        return _count(kafka, metadata.topic) < end_of(kafka, metadata.topic)

    until(is_compacted)
    end = end_of(kafka, metadata.topic)
    until(lambda: metadata.names() == {"web"} and metadata.reader.version == end)
    fresh = metadata.new_reader()
    fresh.start()
    assert fresh.version == metadata.reader.version
    fresh.close()


def test_a_topic_that_ends_with_offsets_without_messages_is_read_to_its_end(metadata: Metadata, kafka: str) -> None:
    metadata.create(2)
    metadata.send(pod("web", "10.0.0.7"), partition=0)
    end_with_nothing(kafka, metadata.topic, 0)
    end_with_nothing(kafka, metadata.topic, 1)
    metadata.reader.start()
    assert metadata.names() == {"web"}
    assert metadata.figure("records_total") == 1
    assert metadata.reader.version == sum(end_of(kafka, metadata.topic, number) for number in (0, 1))
    metadata.send(pod("api", "10.0.0.8"), partition=1)
    until(lambda: metadata.names() == {"web", "api"})


def test_a_restart_of_the_broker_loses_nothing(metadata: Metadata, stack: RunningStack) -> None:
    metadata.create(1)
    metadata.send(pod("web", "10.0.0.7"))
    metadata.reader.start()
    stack.stop("kafka", is_killed=True)
    try:
        assert metadata.names() == {"web"}
    finally:
        stack.start("kafka")
    metadata.send(pod("api", "10.0.0.8"))
    until(lambda: metadata.names() == {"web", "api"})
    assert metadata.figure("records_total") == 2


def test_records_of_a_registry_wait_for_it_while_it_is_away(kafka: str, topic_prefix: str) -> None:
    with running_registry() as registry:
        metadata = Metadata(kafka, topic_prefix, registry.url)
        metadata.create(1)
        metadata.reader.start()
        frame = codec_of("kubernetes_object", registry.register("any", schema_text("kubernetes_object")))
        registry.stop()
        for record in (pod("web", "10.0.0.7"), pod("api", "10.0.0.8")):
            metadata.send_bytes(key_of(record).encode(), frame.encode(record))
        until(lambda: metadata.names() == set() and metadata.figure("read_errors_total") > 0)
        assert metadata.reader.version == 0
        registry.start()
        until(lambda: metadata.names() == {"web", "api"})
        assert metadata.reader.version == 2
        assert metadata.refused == []
        assert registry.requests == ["GET /schemas/ids/1"]
        metadata.reader.close()


def test_dead_letters_reach_their_topic(metadata: Metadata, topic_prefix: str, kafka: str) -> None:
    topic = f"{topic_prefix}deadletter"
    metadata.admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(_DEADLINE_SECONDS)
    registration = RegistryWriter(RegistryReader(metadata.registry_settings))
    writer = DeadLetterWriter(metadata.settings, registration, metadata.counters)
    writer.start()
    letter = {"cluster": "default", "stage": "metadata", "reason": "no object", "topic": metadata.topic, "partition": 0,
              "offset": 4, "observed_at_ns": 1, "key": b"k", "value": b"v", "size_bytes": 1}  # fmt: skip
    writer.send(metadata.topic, letter)
    writer.close()
    assert metadata.figure("lost_dead_letters_total") == 0
    assert _count(kafka, topic) == 1


def _count(kafka: str, topic: str) -> int:
    """How many messages a partition still has."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "none", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    count = 0
    try:
        while True:
            message = consumer.poll(10)
            assert message is not None, "neither a message nor the end came"
            if message.error() is not None:
                return count
            count += 1
    finally:
        consumer.close()
