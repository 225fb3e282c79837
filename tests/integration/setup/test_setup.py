"""``conntrail setup`` against a real Kafka and Elasticsearch."""

import json
import os
import subprocess
import sys

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from conntrail.errors import CommandError
from conntrail.setup.access.elasticsearch.reader import read_access
from runtime.settings import ElasticsearchSettings
from schemas.topic import TOPICS
from tests.support.pipeline import run_command
from tests.support.stack import RunningStack


def _setup(stack: RunningStack, prefix: str, *arguments: str, partitions: int = 3) -> list[dict[str, str]]:
    settings = {"CONNTRAIL_KAFKA__TOPIC_PREFIX": prefix, "CONNTRAIL_KAFKA__PARTITIONS": str(partitions)}
    answer = subprocess.run(
        [sys.executable, "-m", "conntrail", "setup", "-o", "json", *arguments],
        env={**os.environ, **stack.environment(), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    found: list[dict[str, str]] = json.loads(answer.stdout)
    return found


def _partitions(stack: RunningStack, prefix: str) -> dict[str, int]:
    topics = AdminClient({"bootstrap.servers": stack.kafka}).list_topics(timeout=15).topics
    return {name: len(topic.partitions) for name, topic in topics.items() if name.startswith(prefix)}


def test_topics_are_made_as_the_table_says_and_a_second_run_keeps_all(stack: RunningStack, topic_prefix: str) -> None:
    first = _setup(stack, topic_prefix)
    assert {change["name"] for change in first if change["act"] == "create" and change["kind"] == "topic"} == {
        topic.full_name(topic_prefix) for topic in TOPICS
    }
    resources = [ConfigResource(ResourceType.TOPIC, topic.full_name(topic_prefix)) for topic in TOPICS]
    client = AdminClient({"bootstrap.servers": stack.kafka})
    answers = client.describe_configs(resources)
    for resource, topic in zip(resources, TOPICS, strict=True):
        configuration = {entry.name: entry.value for entry in answers[resource].result().values()}
        for option, value in topic.configuration().items():
            assert sorted(configuration[option].split(",")) == sorted(value.split(",")), (topic.name, option)
    assert {change["act"] for change in _setup(stack, topic_prefix)} == {"keep"}


def test_a_dry_run_makes_nothing(stack: RunningStack, topic_prefix: str) -> None:
    changes = _setup(stack, topic_prefix, "--dry-run")
    assert sum(change["act"] == "create" and change["kind"] == "topic" for change in changes) == len(TOPICS)
    assert _partitions(stack, topic_prefix) == {}


def test_partitions_are_added_and_never_removed(stack: RunningStack, topic_prefix: str) -> None:
    _setup(stack, topic_prefix, partitions=2)
    _setup(stack, topic_prefix, partitions=4)
    assert set(_partitions(stack, topic_prefix).values()) == {4}
    changes = [change for change in _setup(stack, topic_prefix, partitions=2) if change["kind"] == "topic"]
    assert {change["act"] for change in changes} == {"differs"}
    assert set(_partitions(stack, topic_prefix).values()) == {4}


def test_an_operators_retention_is_reported_and_kept(stack: RunningStack, topic_prefix: str) -> None:
    name = f"{topic_prefix}flows"
    client = AdminClient({"bootstrap.servers": stack.kafka})
    fresh = NewTopic(name, num_partitions=3, replication_factor=1, config={"retention.ms": "1234567"})
    client.create_topics([fresh])[name].result()
    (change,) = [change for change in _setup(stack, topic_prefix) if change["name"] == name]
    assert change["act"] == "differs"
    assert "retention.ms is 1234567" in change["detail"]
    resource = ConfigResource(ResourceType.TOPIC, name)
    assert client.describe_configs([resource])[resource].result()["retention.ms"].value == "1234567"


def test_an_absent_broker_is_one_line_that_says_what_to_do(stack: RunningStack) -> None:
    environment = {**os.environ, **stack.environment(), "CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    answer = subprocess.run(
        [sys.executable, "-m", "conntrail", "setup"], env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) == 1
    assert "conntrail local up" in answer.stderr


def test_a_cluster_that_lets_everybody_in_is_told_what_it_lacks(stack: RunningStack, topic_prefix: str) -> None:
    settings = {"CONNTRAIL_KAFKA__TOPIC_PREFIX": topic_prefix}
    ended = run_command({**stack.environment(), **settings}, "setup", "--access")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert "authorizer.class.name" in ended.stderr
    with pytest.raises(CommandError, match=r"xpack\.security\.enabled"):
        read_access(ElasticsearchSettings(hosts=stack.elasticsearch), ["conntrail-worker"])


def test_keys_are_asked_of_elasticsearch_alone_where_kafka_cannot_be_reached(stack: RunningStack) -> None:
    environment = {**stack.environment(), "CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    ended = run_command(environment, "setup", "--access", "--elasticsearch-only")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert "xpack.security.enabled" in ended.stderr
