"""Every process frames as its settings say and reads what others framed otherwise, in one topic."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import fastavro
import pytest

from schemas.schema import blank_record, read_schema, schema_text
from schemas.single_object import SingleObjectCodec
from schemas.topic import (
    ALERT_DELIVERIES,
    ALERT_STATE,
    ALERTS,
    CHANGES,
    DEAD_LETTER,
    DENIALS,
    DNS,
    FLOWS,
    KUBERNETES_AUDIT,
    KUBERNETES_EVENTS,
    KUBERNETES_OBJECTS,
    L7,
    NODES,
    POLICY_HITS,
    SILENCES,
    TOPICS,
    WINDOWS,
)
from tests.support.kubernetes_agent import await_that
from tests.support.pipeline import WORKER, Pipeline, run_command
from tests.support.registry import Registry, running_registry
from tests.support.stack import RunningStack
from tests.unit.streams.index.builders import flow

WRITTEN = (
    KUBERNETES_OBJECTS, KUBERNETES_EVENTS, KUBERNETES_AUDIT, CHANGES, FLOWS, WINDOWS, POLICY_HITS, DNS, L7, DENIALS,
    NODES, ALERTS, ALERT_STATE, ALERT_DELIVERIES, SILENCES, DEAD_LETTER,
)  # fmt: skip
"""By the cluster agent and the worker."""
_SINGLE, _REGISTERED = b"\xc3", b"\x00"
_WEB, _API = "10.0.1.7", "10.0.1.8"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry("conntrail:secret") as running:
        yield running


@pytest.fixture
def pipeline(stack: RunningStack, tmp_path: Path) -> Pipeline:
    return Pipeline(stack, tmp_path)


def _credentials(registry: Registry) -> dict[str, str]:
    return {
        "SCHEMA_REGISTRY__URL": registry.url,
        "SCHEMA_REGISTRY__USERNAME": "conntrail",
        "SCHEMA_REGISTRY__PASSWORD": "secret",
    }


def test_a_registry_set_later_changes_what_is_written_and_nothing_that_is_read(
    pipeline: Pipeline, registry: Registry
) -> None:
    pipeline.add_pod("web", _WEB)
    with pipeline.running():
        pipeline.send_flow(_WEB, 1001)
        assert pipeline.await_flow(1001)["source"]["kubernetes"]["pod"]["name"] == "web"
    pipeline.add_pod("api", _API)
    with pipeline.running(**_credentials(registry)):
        pipeline.send_flow(_WEB, 1002)
        pipeline.send_flow(_API, 1003)
        assert pipeline.await_flow(1002)["source"]["kubernetes"]["pod"]["name"] == "web"
        assert pipeline.await_flow(1003)["source"]["kubernetes"]["pod"]["name"] == "api"

    for topic in (KUBERNETES_OBJECTS, FLOWS):
        frames = [value[:1] for value in pipeline.values(topic)]
        assert set(frames) == {_SINGLE, _REGISTERED}, topic.name
        assert frames == sorted(frames, reverse=True), topic.name
    assert set(registry.subjects) == {f"{topic.full_name(pipeline.prefix)}-value" for topic in WRITTEN}
    assert pipeline.values(DEAD_LETTER) == []

    command = ("observe", "--source", "kafka", "--since", "10m", "-o", "json")
    seen = run_command(pipeline.environment(**_credentials(registry)), *command)
    assert {flow["destination"]["port"] for flow in json.loads(seen.stdout)} == {1001, 1002, 1003}
    unaware = run_command(pipeline.environment(), *command)
    assert {flow["destination"]["port"] for flow in json.loads(unaware.stdout)} == {1001}
    assert "CONNTRAIL_SCHEMA_REGISTRY__URL" in unaware.stderr


def test_a_frame_that_no_registry_explains_goes_to_the_dead_letters(pipeline: Pipeline, registry: Registry) -> None:
    with pipeline.running(**_credentials(registry)):
        pipeline.send_bytes(FLOWS, b"\x00\x00\x00\x03\xe7 nobody registered this")
        pipeline.send_flow(_WEB, 1001)
        pipeline.await_flow(1001)
        pipeline.await_document("logs-conntrail.deadletter", lambda letter: "no schema of id 999" in json.dumps(letter))


def test_a_record_of_a_later_release_waits_while_the_registry_is_away_and_is_not_refused(
    pipeline: Pipeline, registry: Registry
) -> None:
    with pipeline.running(**_credentials(registry)) as system:
        later = json.loads(schema_text(FLOWS.schema))
        later["fields"].append({"name": "later", "type": ["null", "string"], "default": None, "doc": "A later field."})
        number = registry.register(f"{FLOWS.full_name(pipeline.prefix)}-value", json.dumps(later))
        later_codec = SingleObjectCodec(fastavro.parse_schema(later), number)  # type: ignore[arg-type]
        record = {**flow("later-flow", timestamp_ns=time.time_ns()), "later": "yes"}
        registry.stop()
        pipeline.send_bytes(FLOWS, later_codec.encode(record))
        log = system.log_of(WORKER)
        await_that(lambda: "the schema registry does not answer" in log.read_text(), "the worker says why it waits")
        registry.start()
        pipeline.await_document("logs-conntrail.flow", lambda found: found["_id"] == "later-flow")
        system.check()
    assert pipeline.values(DEAD_LETTER) == []


@pytest.mark.parametrize("module", ["agents.cluster", "streams"])
def test_a_registry_that_refuses_is_one_line(pipeline: Pipeline, registry: Registry, module: str) -> None:
    wrong = {**_credentials(registry), "SCHEMA_REGISTRY__PASSWORD": "wrong"}
    ended = pipeline.ended(module, **wrong)
    assert ended.returncode == 1
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, ended.stderr
    assert "CONNTRAIL_SCHEMA_REGISTRY__USERNAME" in lines[0]


def test_setup_registers_every_schema_once_and_a_dry_run_none(pipeline: Pipeline, registry: Registry) -> None:
    environment = pipeline.environment(**_credentials(registry))

    def acts(*words: str) -> Counter[str]:
        done = run_command(environment, "setup", "-o", "json", *words)
        return Counter(change["act"] for change in json.loads(done.stdout) if change["kind"] == "schema")

    topics = [topic.full_name(pipeline.prefix) for topic in TOPICS if topic.framing == "single"]
    assert acts("--dry-run") == {"create": len(topics)}
    assert not registry.subjects
    assert acts() == {"create": len(topics)}
    assert set(registry.subjects) == {f"{topic}-value" for topic in topics}
    assert acts() == {"keep": len(topics)}


def test_alerts_wait_while_the_registry_is_away(pipeline: Pipeline, registry: Registry) -> None:
    with pipeline.running(**_credentials(registry)) as system:
        later = json.loads(schema_text(NODES.schema))
        later["fields"].append({"name": "later", "type": ["null", "string"], "default": None, "doc": "A later field."})
        number = registry.register(f"{NODES.full_name(pipeline.prefix)}-value", json.dumps(later))
        later_codec = SingleObjectCodec(fastavro.parse_schema(later), number)  # type: ignore[arg-type]
        record = {**blank_record(read_schema(NODES.schema)), "node": "node9", "later": "yes"}
        registry.stop()
        pipeline.send_bytes(NODES, later_codec.encode(record))
        log = system.log_of(WORKER)
        await_that(lambda: "alerts wait" in log.read_text(), "the worker says that alerts wait", seconds=90)
        registry.start()
        taken = f'conntrail_worker_alert_records_total{{topic="{NODES.name}"}}'
        await_that(lambda: f"{taken} 1.0" in system.metrics_of(WORKER), "the record to be taken", seconds=90)
        system.check()
    assert pipeline.values(DEAD_LETTER) == []
