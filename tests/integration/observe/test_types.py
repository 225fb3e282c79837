"""``conntrail observe --type``: what was asked and said, beside flows, in a real Kafka and a real Elasticsearch."""

import asyncio
import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from conntrail.observe.look import Look
from conntrail.observe.past.reader import read_up_to
from conntrail.observe.reader import DocumentTopics
from conntrail.observe.span import Span
from runtime.reader import read_settings
from schemas.single_object import codec_of
from schemas.topic import CHANGES, DNS, FLOWS, KUBERNETES_EVENTS, L7, NODES, Topic
from streams.index.documents import document_of
from tests.support.index import ask, index_writer, put_templates
from tests.support.pipeline import run_command
from tests.support.stack import RunningStack
from tests.unit.streams.index.builders import AT_NS, dns, flow, l7

pytestmark = pytest.mark.stack
_SECOND = 1_000_000_000
_TOPICS = (FLOWS, DNS, L7, NODES, KUBERNETES_EVENTS, CHANGES)
_MANY = 2_345
"""More than two pages."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation of its own keeps its documents."""

    stack: RunningStack
    name: str

    def observed(self, *arguments: str) -> list[dict[str, Any]]:
        answer = self.run("-o", "jsonl", *arguments)
        assert answer.returncode == 0, answer.stderr
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return run_command({**os.environ, **self.environment()}, "observe", *arguments)

    def environment(self) -> dict[str, str]:
        own = {"KAFKA__TOPIC_PREFIX": f"{self.name}.", "ELASTICSEARCH__NAMESPACE": self.name}
        return {**self.stack.environment(), **{f"CONNTRAIL_{name}": text for name, text in own.items()}}

    def send(self, *records: tuple[Topic, dict[str, Any]]) -> None:
        """To Kafka."""
        producer = Producer({"bootstrap.servers": self.stack.kafka})
        for topic, record in records:
            producer.produce(topic.full_name(f"{self.name}."), codec_of(topic.schema).encode(record))
        assert producer.flush(30) == 0

    def keep(self, *records: tuple[Topic, dict[str, Any]]) -> None:
        """In both."""
        self.send(*records)

        async def run() -> None:
            writer, _ = index_writer(self.stack.elasticsearch)
            await writer.index([document_of(topic, record, self.name) for topic, record in records])
            await writer.close()

        asyncio.run(run())
        ask(self.stack.elasticsearch, "POST", f"*-conntrail.*-{self.name}-*/_refresh")


def at(second: float, topic: Topic, record: dict[str, Any], **facts: Any) -> tuple[Topic, dict[str, Any]]:
    """A record of that second after a fixed instant."""
    return topic, {**record, "id": f"{topic.name}-{second}", "timestamp_ns": AT_NS + int(second * _SECOND), **facts}


def names(documents: list[dict[str, Any]]) -> list[str]:
    return [document["event"]["dataset"].removeprefix("conntrail.") for document in documents]


@pytest.fixture
def place(stack: RunningStack) -> Iterator[Place]:
    put_templates(stack.elasticsearch)
    made = Place(stack, f"t{uuid.uuid4().hex[:10]}")
    client = AdminClient({"bootstrap.servers": stack.kafka, "log_level": 0})
    topics = [topic.full_name(f"{made.name}.") for topic in _TOPICS]
    for future in client.create_topics([NewTopic(topic, 2, 1) for topic in topics]).values():
        future.result()
    yield made
    for future in client.delete_topics(topics).values():
        future.result()


@pytest.mark.parametrize("source", ["elasticsearch", "kafka"])
def test_several_types_come_in_order_of_time_and_one_alone(place: Place, source: str) -> None:
    place.keep(at(3, L7, l7()), at(1, DNS, dns()), at(2, FLOWS, flow("id-2")), at(4, DNS, dns()))
    every = ["--source", source, "-t", "flow", "-t", "dns", "-t", "l7"]
    assert names(place.observed(*every)) == ["dns", "flow", "l7", "dns"]
    assert names(place.observed(*every, "--last", "2")) == ["l7", "dns"]
    assert names(place.observed("--source", source, "--type", "dns")) == ["dns", "dns"]
    assert names(place.observed("--source", source)) == ["flow"]


@pytest.mark.parametrize("source", ["elasticsearch", "kafka"])
def test_filters_are_those_of_flows(place: Place, source: str) -> None:
    place.keep(at(1, DNS, dns()), at(2, L7, l7()))
    (asked, *_) = place.observed("--source", source, "-t", "dns")
    client = asked["source"]["kubernetes"]
    words = ["--source", source, "-t", "dns", "-t", "l7"]
    pod = f"{client['namespace']}/{client['pod']['name']}"
    assert "dns" in names(place.observed(*words, "--from-pod", pod))
    assert place.observed(*words, "--from-pod", f"{client['namespace']}/nobody") == []
    assert names(place.observed(*words, "--since", "2026-11-23T18:32:01.500Z")) == ["l7"]


def test_what_kafka_has_and_elasticsearch_does_not_show_yet_is_among_the_last_before_what_is_followed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [at(1, FLOWS, flow()), at(3, DNS, dns()), at(4, L7, l7())]
    place.keep(*kept)
    place.send(at(2, DNS, dns()), at(5, DNS, dns()))
    for name, text in place.environment().items():
        monkeypatch.setenv(name, text)
    settings = read_settings()
    look = Look(["flow", "dns", "l7"], [], Span(), 4, True, "auto")
    topics = DocumentTopics(settings.kafka, settings.schema_registry, look.topics, pytest.fail)
    said: list[str] = []
    found = list(read_up_to(look, settings, topics, said.append, int(time.time() * 1000)))
    assert [document["@timestamp"][17:19] for document in found] == ["02", "03", "04", "05"]
    assert said == ["the last 4 of more: --last N shows N, --since and --until those of a span"]


def test_all_documents_of_one_instant_are_read_page_by_page(place: Place) -> None:
    place.keep(*((DNS, {**dns(), "id": f"dns-{number}", "count": number + 1}) for number in range(_MANY)))
    found = place.observed("--source", "elasticsearch", "-t", "dns", "--since", "2020-01-01")
    assert {document["conntrail"]["count"] for document in found} == set(range(1, _MANY + 1))
    assert len(found) == _MANY
