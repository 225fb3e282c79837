"""Traffic written as the worker does, and objects as the cluster agent does, for a cluster of a test's own."""

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from conntrail.policy.cluster.manifest import records_of
from conntrail.setup.main import set_up
from runtime.settings import ElasticsearchSettings, KafkaSettings, SchemaRegistrySettings, Settings
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.single_object import codec_of
from schemas.topic import FLOWS, KUBERNETES_OBJECTS, POLICY_HITS, WINDOWS, Topic
from streams.index.counters import IndexCounters
from streams.index.documents import document_of
from streams.index.writer import IndexWriter
from streams.result.writer import ResultWriter
from tests.support.history import Record, inside
from tests.support.index import ask
from tests.support.objects import key_of
from tests.support.stack import RunningStack

Written = Sequence[tuple[Topic, dict[str, Any]]]
_DEADLINE_SECONDS = 120.0


def new_settings(stack: RunningStack, topic_prefix: str) -> Settings:
    """Topics, indices and a cluster's name that no other test has, set up."""
    name = uuid.uuid4().hex[:10]
    made = Settings(
        cluster=f"c{name}",
        kafka=KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=topic_prefix, partitions=2),
        elasticsearch=ElasticsearchSettings(hosts=stack.elasticsearch, namespace=f"h{name}"),
    )
    set_up(made, is_dry=False)
    return made


def set_environment(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """So that commands find it."""
    for name, value in {
        "CLUSTER": settings.cluster,
        "KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
        "ELASTICSEARCH__HOSTS": settings.elasticsearch.hosts,
        "ELASTICSEARCH__NAMESPACE": settings.elasticsearch.namespace,
    }.items():
        monkeypatch.setenv(f"CONNTRAIL_{name}", value)


def replica_set(name: str, pod_name: str = "") -> Record:
    """One end of traffic."""
    return {**inside(name, pod_name), "workload": {"kind": "ReplicaSet", "name": name}}


def write(settings: Settings, records: Written) -> None:
    """To the topics, and to the index."""

    async def run() -> None:
        registration = RegistryWriter(RegistryReader(SchemaRegistrySettings()))
        writer = ResultWriter(settings.kafka, "test", (WINDOWS, FLOWS, POLICY_HITS), registration)
        writer.start()
        for topic, record in records:
            await writer.send(topic, record["id"], record)
        await writer.delivered()

    asyncio.run(asyncio.wait_for(run(), _DEADLINE_SECONDS))
    write_index(settings, records)


def write_index(settings: Settings, records: Written) -> None:
    """To the index alone."""

    async def run() -> None:
        index = IndexWriter(settings.elasticsearch, IndexCounters(CollectorRegistry()))
        for topic, record in records:
            outcome = await index.index([document_of(topic, record, settings.elasticsearch.namespace)])
            assert not outcome.refused
        await index.close()

    asyncio.run(asyncio.wait_for(run(), _DEADLINE_SECONDS))
    ask(settings.elasticsearch.hosts, "POST", f"*-{settings.elasticsearch.namespace}-*/_refresh")


def write_objects(settings: Settings, manifests: Iterable[dict[str, Any]], at_ns: int) -> None:
    """To the topic of Kubernetes objects."""
    codec = codec_of(KUBERNETES_OBJECTS.schema)
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap_servers})
    for record in records_of(manifests, settings.cluster, at_ns):
        value = dict(record)
        name = KUBERNETES_OBJECTS.full_name(settings.kafka.topic_prefix)
        producer.produce(name, codec.encode(value), key_of(value).encode())
    assert producer.flush(_DEADLINE_SECONDS) == 0
