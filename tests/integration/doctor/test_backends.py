"""``conntrail doctor`` against a real Kafka and Elasticsearch, before and after setup, and where nobody answers."""

import json
import os
import uuid

import pytest
from confluent_kafka.admin import AdminClient

from conntrail.local.port.reader import free_port
from schemas.topic import FLOWS, TOPICS
from tests.support.pipeline import run_command
from tests.support.stack import RunningStack

_BACKENDS = ("kafka", "elasticsearch", "registry")


@pytest.fixture
def environment(stack: RunningStack, topic_prefix: str) -> dict[str, str]:
    own = {
        "CONNTRAIL_KAFKA__TOPIC_PREFIX": topic_prefix,
        "CONNTRAIL_KAFKA__PARTITIONS": "1",
        "CONNTRAIL_ELASTICSEARCH__NAMESPACE": f"d{uuid.uuid4().hex[:8]}",
    }
    return {**os.environ, **stack.environment(), **own}


def _look(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit status, and findings by area and check."""
    done = run_command(environment, "doctor", *(arguments or _BACKENDS), "-o", "json")
    assert not done.stderr, done.stderr
    return done.returncode, {f"{one['area']}.{one['check']}": one for one in json.loads(done.stdout)}


def test_what_setup_makes_is_missing_before_and_ok_after(
    environment: dict[str, str], stack: RunningStack, topic_prefix: str
) -> None:
    status, found = _look(environment)
    assert status == 1
    assert found["kafka.topics"]["state"] == "missing"
    assert found["kafka.topics"]["remedy"] == "run conntrail setup"
    done = run_command(environment, "setup")
    assert done.returncode == 0, done.stderr
    status, found = _look(environment)
    assert status == 0
    assert {name: one["state"] for name, one in found.items()} == {
        "kafka.server": "ok",
        "kafka.topics": "ok",
        "kafka.access": "ok",
        "elasticsearch.server": "ok",
        "elasticsearch.version": "ok",
        "elasticsearch.templates": "ok",
        "elasticsearch.access": "ok",
        "elasticsearch.clock": "ok",
        "registry.server": "skipped",
    }
    assert found["kafka.topics"]["found"] == f"{len(TOPICS)} of {len(TOPICS)}"
    name = FLOWS.full_name(topic_prefix)
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    admin.delete_topics([name])[name].result(30)
    status, found = _look(environment, "kafka", "--role", "worker")
    assert (status, found["kafka.topics"]["state"]) == (0, "degraded")
    assert found["kafka.topics"]["found"] == f"not there: {name}"


def test_who_does_not_answer_is_told_and_the_others_are_looked_at(environment: dict[str, str]) -> None:
    closed = f"127.0.0.1:{free_port(set())}"
    away = {
        **environment,
        "CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS": closed,
        "CONNTRAIL_SCHEMA_REGISTRY__URL": f"http://{closed}",
        "CONNTRAIL_LOG__LEVEL": "error",
    }
    status, found = _look(away)
    assert status == 1
    assert found["kafka.server"]["state"] == found["registry.server"]["state"] == "missing"
    assert closed in found["kafka.server"]["found"]
    assert found["elasticsearch.server"]["state"] == "ok"
