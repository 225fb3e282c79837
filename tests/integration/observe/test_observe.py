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
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.single_object import codec_of
from schemas.topic import FLOWS, KUBERNETES_OBJECTS
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


def test_the_first_flows_are_the_oldest_in_both_sources(place: Place) -> None:
    flows = [_flow(second) for second in (7, 1, 9, 3, 8, 2)]
    place.index(*flows)
    for number, record in enumerate(flows):
        place.send(record, number % 2)
    for source in ("kafka", "elasticsearch"):
        answer = place.observe("--source", source, "--first", "3", "-o", "jsonl")
        assert _names(answer) == ["connection-1", "connection-2", "connection-3"]


@pytest.mark.parametrize("side", ["--first", "--last"])
def test_of_flows_of_one_instant_both_sources_choose_the_same(place: Place, side: str) -> None:
    flows = [{**_flow(1), "id": f"id-{number}"} for number in (3, 0, 4, 1, 2)]
    flows = [{**flow, "flow": {**flow["flow"], "id": f"connection-{flow['id']}"}} for flow in flows]
    place.index(*flows)
    for number, record in enumerate(flows):
        place.send(record, number % 2)
    found = [
        _names(place.observe("--source", source, side, "2", "-o", "jsonl")) for source in ("kafka", "elasticsearch")
    ]
    chosen = (0, 1) if side == "--first" else (3, 4)
    assert found == [[f"connection-id-{number}" for number in chosen]] * 2


def test_what_not_excludes_is_the_same_in_both_sources_and_in_a_file(place: Place, tmp_path: Path) -> None:
    flows = [_flow(second, f"client-{second % 3}") for second in range(6)]
    place.index(*flows)
    for record in flows:
        place.send(record)
    written = tmp_path / "flows.jsonl"
    written.write_text(place.observe("-o", "jsonl").stdout)
    expected = ["connection-1", "connection-2", "connection-4", "connection-5"]
    for where in (("--source", "kafka"), ("--source", "elasticsearch"), ("--input-file", str(written))):
        answer = place.observe(*where, "--not", "--from-pod", "client-0", "--not", "--pod", "nobody", "-o", "jsonl")
        assert _names(answer) == expected


def test_a_workload_that_is_not_there_is_told_which_may_be_meant_and_a_shell_completes_it(place: Place) -> None:
    topic = KUBERNETES_OBJECTS.full_name(f"{place.name}.")
    client = AdminClient({"bootstrap.servers": place.stack.kafka, "log_level": 0})
    client.create_topics([NewTopic(topic, 2, 1)])[topic].result()
    producer = Producer({"bootstrap.servers": place.stack.kafka})
    for number, (key, value) in enumerate(
        (("Deployment/shop/frontend", b"x"), ("Deployment/shop/gone", b"x"), ("Deployment/shop/gone", None))
    ):
        producer.produce(topic, value, key=key, partition=number and 1)
    assert producer.flush(30) == 0
    place.send(_flow(1))
    asked = place.observe("--source", "kafka", "--workload", "frontnd")
    assert "no workload frontnd is in the cluster now: did you mean shop/frontend?" in asked.stderr
    words = {"COMP_WORDS": "conntrail observe --workload s", "COMP_CWORD": "3"}
    environment = {**place.environment(), **words, "_CONNTRAIL_COMPLETE": "complete_bash"}
    program = Path(sys.executable).with_name("conntrail")
    shell = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    assert (shell.stdout.split(), shell.stderr) == (["shop/frontend"], "")
    client.delete_topics([topic])[topic].result()


def test_a_span_is_of_the_flows_time_in_both_sources(place: Place) -> None:
    flows = [_flow(second) for second in range(6)]
    place.index(*flows)
    for record in flows:
        place.send(record)
    span = ("--utc", "--since", "2026-11-23T20:32:01+02:00", "--until", "2026-11-23T18:32:03", "-o", "jsonl")
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
        _, errors = following.communicate(timeout=120)
    assert r"shop/evil\x1b]0;pwned\x07:40000 -> shop/web-1:8080" in line
    assert following.returncode == 0
    assert "the reporting nodes saw everything" in errors
