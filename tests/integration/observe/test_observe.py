"""``conntrail observe`` as people run it, on flows in a real Kafka and a real Elasticsearch."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.single_object import codec_of
from schemas.topic import FLOWS
from streams.index.documents import document_of
from tests.support.index import ask, index_writer, put_templates
from tests.support.pipeline import run_command
from tests.support.stack import RunningStack
from tests.unit.streams.index.builders import AT_NS, flow

pytestmark = pytest.mark.stack
_SECOND = 1_000_000_000
_CLOSED = "http://127.0.0.1:1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation of its own keeps its flows."""

    stack: RunningStack
    name: str

    @property
    def topic(self) -> str:
        return f"{self.name}.flows"

    def observe(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return run_command(self.environment(**settings), "observe", *arguments)

    def environment(self, **settings: str) -> dict[str, str]:
        own = {"KAFKA__TOPIC_PREFIX": f"{self.name}.", "ELASTICSEARCH__NAMESPACE": self.name, **settings}
        return {**os.environ, **self.stack.environment(), **{f"CONNTRAIL_{name}": text for name, text in own.items()}}

    def send(self, record: dict[str, Any], partition: int = 0) -> None:
        producer = Producer({"bootstrap.servers": self.stack.kafka})
        producer.produce(self.topic, codec_of(FLOWS.schema).encode(record), partition=partition)
        assert producer.flush(30) == 0

    def index(self, *records: dict[str, Any]) -> None:
        async def run() -> None:
            writer, _ = index_writer(self.stack.elasticsearch)
            await writer.index([document_of(FLOWS, record, self.name) for record in records])
            await writer.close()

        asyncio.run(run())
        ask(self.stack.elasticsearch, "POST", f"logs-conntrail.flow-{self.name}-*/_refresh")


def _flow(second: int, pod: str = "client-1") -> dict[str, Any]:
    """One that ended at that second after a fixed instant."""
    record = flow(f"id-{second}", timestamp_ns=AT_NS + second * _SECOND)
    record["flow"]["id"] = f"connection-{second}"
    record["source"]["kubernetes"]["pod"]["name"] = pod
    return record


@pytest.fixture
def place(stack: RunningStack) -> Iterator[Place]:
    put_templates(stack.elasticsearch)
    made = Place(stack, f"o{uuid.uuid4().hex[:10]}")
    client = AdminClient({"bootstrap.servers": stack.kafka, "log_level": 0})
    client.create_topics([NewTopic(made.topic, num_partitions=2, replication_factor=1)])[made.topic].result()
    yield made
    client.delete_topics([made.topic])[made.topic].result()


def _names(answer: subprocess.CompletedProcess[str]) -> list[str]:
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line)["flow"]["id"] for line in answer.stdout.splitlines()]


def test_the_last_flows_are_the_newest_whatever_partition_and_order_they_came_in(place: Place) -> None:
    for second, partition in ((7, 0), (1, 0), (9, 1), (3, 1), (8, 0), (2, 1)):
        place.send(_flow(second), partition)
    answer = place.observe("--source", "kafka", "--last", "3", "-o", "jsonl")
    assert _names(answer) == ["connection-7", "connection-8", "connection-9"]


def test_a_span_is_of_the_flows_time_in_both_sources(place: Place) -> None:
    flows = [_flow(second) for second in range(6)]
    place.index(*flows)
    for record in flows:
        place.send(record)
    span = ("--since", "2026-11-23T20:32:01+02:00", "--until", "2026-11-23T18:32:03", "-o", "jsonl")
    for source in ("kafka", "elasticsearch"):
        assert _names(place.observe(*span, "--source", source)) == ["connection-1", "connection-2"]


def test_an_installation_shows_its_own_flows_only(stack: RunningStack, place: Place) -> None:
    place.index(_flow(1))
    other = Place(stack, f"{place.name}other")
    assert _names(place.observe("-o", "jsonl")) == ["connection-1"]
    assert _names(other.observe("-o", "jsonl")) == []


def test_without_elasticsearch_the_past_comes_from_kafka_and_it_is_said_why(place: Place) -> None:
    place.send(_flow(1))
    answer = place.observe("-o", "jsonl", ELASTICSEARCH__HOSTS=_CLOSED)
    assert _names(answer) == ["connection-1"]
    assert f"Elasticsearch at {_CLOSED} does not answer" in answer.stderr
    assert "Connection refused): showing what Kafka still keeps" in answer.stderr
    insisted = place.observe("--source", "elasticsearch", ELASTICSEARCH__HOSTS=_CLOSED)
    assert (insisted.returncode, len(insisted.stderr.splitlines())) == (1, 1)
    unset = place.observe("--source", "elasticsearch", ELASTICSEARCH__HOSTS="")
    assert (unset.returncode, "HOSTS is empty" in unset.stderr) == (1, True)


def test_nothing_to_show_is_told_apart_from_nothing_there(place: Place) -> None:
    for source in ("kafka", "elasticsearch"):
        empty = place.observe("--source", source)
        assert (empty.returncode, empty.stdout) == (0, "")
        assert "do agents and a worker run" in empty.stderr
        assert "saw everything" not in empty.stderr
    place.index(_flow(1))
    place.send(_flow(1))
    for source in ("kafka", "elasticsearch"):
        unfit = place.observe("--source", source, "--pod", "nobody")
        assert "no flow fits; the newest in " in unfit.stderr
        assert "2026-11-23T18:32:01.123Z" in unfit.stderr


def test_what_is_followed_comes_at_once_harmless_and_ctrl_c_ends_it_well(place: Place) -> None:
    command = [sys.executable, "-m", "conntrail", "observe", "--follow", "--pod", "evil*"]
    with subprocess.Popen(
        command, env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        os.set_blocking(following.stdout.fileno(), False)
        deadline, line, second = time.monotonic() + 60, "", 0
        while not line:  # what was sent before it listened is the past
            assert time.monotonic() < deadline
            place.send(_flow(second, "evil\x1b]0;pwned\x07"))
            second += 1
            line = following.stdout.readline()
        following.send_signal(signal.SIGINT)
        _, errors = following.communicate(timeout=30)
    assert r"shop/evil\x1b]0;pwned\x07:40000 -> shop/web-1:8080" in line
    assert following.returncode == 0
    assert "the reporting nodes saw everything" in errors
