"""Alerts that are told as Kubernetes Events are told at least once, over a registry that is away."""

import json
from collections.abc import Iterator

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client import CollectorRegistry

from agents.cluster.alert.reader import AlertTopic
from agents.cluster.metrics import ClusterMetrics
from agents.errors import ReadError
from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.schema import read_schema, schema_text
from schemas.single_object import SingleObjectCodec
from schemas.topic import ALERTS
from tests.support.alerts import alert
from tests.support.kubernetes_agent import await_that
from tests.support.registry import Registry, running_registry


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry() as running:
        yield running


class Agent:
    """The topic of alerts with one partition, and the reader of it."""

    def __init__(self, kafka: str, prefix: str, registry: Registry) -> None:
        self._kafka = kafka
        self._name = ALERTS.full_name(prefix)
        self._settings = KafkaSettings(bootstrap_servers=kafka, topic_prefix=prefix)
        self._registry = SchemaRegistrySettings(url=registry.url)
        admin = AdminClient({"bootstrap.servers": kafka})
        admin.create_topics([NewTopic(self._name, 1, 1)])[self._name].result(30)
        later = json.loads(schema_text(ALERTS.schema))
        later["fields"].append({"name": "later", "type": ["null", "string"], "default": None, "doc": "A later field."})
        number = registry.register(f"{self._name}-value", json.dumps(later))
        self.codec = SingleObjectCodec(read_schema(ALERTS.schema))
        self.later_codec = SingleObjectCodec(fastavro.parse_schema(later), number)  # type: ignore[arg-type]

    def begun(self) -> AlertTopic:
        topic = AlertTopic(self._settings, self._registry, ClusterMetrics(CollectorRegistry()))
        await_that(lambda: _is_begun(topic), "a broker that knows of the group")
        return topic

    def send(self, *values: bytes) -> None:
        producer = Producer({"bootstrap.servers": self._kafka, "log_level": 0})
        for value in values:
            producer.produce(self._name, value, partition=0)
        assert producer.flush(30) == 0


def _is_begun(topic: AlertTopic) -> bool:
    try:
        topic.start()
    except ReadError:
        topic.stop()
        return False
    return True


def _taken(topic: AlertTopic, *wanted: str) -> None:
    """Take until these have come, and no others."""
    found: list[str] = []

    def is_there() -> bool:
        found.extend(one["id"] for one in topic.take(20))
        return len(found) >= len(wanted)

    await_that(is_there, f"the alerts {wanted}")
    assert found == list(wanted)


def _is_waiting(topic: AlertTopic) -> bool:
    try:
        assert topic.take(20) == []
    except ReadError:
        return True
    return False


def test_what_a_registry_has_to_explain_first_is_told_later_and_what_came_before_it_at_once(
    kafka: str, topic_prefix: str, registry: Registry
) -> None:
    agent = Agent(kafka, topic_prefix, registry)
    topic = agent.begun()
    registry.stop()
    framed = [agent.codec.encode(alert(name)) for name in ("a1", "a2")]
    agent.send(*framed, agent.later_codec.encode({**alert("a3"), "later": "yes"}), agent.codec.encode(alert("a4")))
    _taken(topic, "a1", "a2")
    topic.confirm()
    await_that(lambda: _is_waiting(topic), "the reader to say why it waits")
    topic.confirm()
    topic.stop()

    topic = agent.begun()
    await_that(lambda: _is_waiting(topic), "the next reader to wait too")
    registry.start()
    _taken(topic, "a3", "a4")
    topic.confirm()
    topic.stop()

    agent.send(agent.codec.encode(alert("a5")))
    topic = agent.begun()
    _taken(topic, "a5")
    topic.stop()
