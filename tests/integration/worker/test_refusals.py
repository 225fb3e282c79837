"""A worker goes on over single bad messages and stops when they are the rule, losing neither."""

from pathlib import Path

import pytest

from conntrail.system.writer import System
from schemas.topic import DEAD_LETTER, DENIALS_RAW, DNS_RAW, FLOWS, FLOWS_RAW, Topic
from tests.support.kubernetes_agent import await_that
from tests.support.pipeline import WORKER, Pipeline
from tests.support.stack import RunningStack

_GARBAGE = b"no container and no record"


@pytest.fixture
def pipeline(stack: RunningStack, tmp_path: Path) -> Pipeline:
    return Pipeline(stack, tmp_path)


def _figure(system: System, name: str) -> float:
    lines = [line for line in system.metrics_of(WORKER).splitlines() if line.startswith(f"{name} ")]
    return float(lines[0].rpartition(" ")[2])


def test_single_bad_messages_are_dead_letters_and_the_rest_goes_on(pipeline: Pipeline) -> None:
    with pipeline.running() as system:
        for _ in range(19):
            pipeline.send_bytes(FLOWS_RAW, _GARBAGE)
        pipeline.send_flow("10.0.1.7", 1001)
        pipeline.await_flow(1001)
        await_that(lambda: len(pipeline.values(DEAD_LETTER)) == 19, "each is a dead letter")
        assert _figure(system, "conntrail_worker_refused_share") == 19 / 20
        system.check()


@pytest.mark.parametrize(
    "topic", [FLOWS_RAW, DNS_RAW, DENIALS_RAW, FLOWS], ids=["flows", "exchanges", "denials", "index"]
)
def test_when_bad_messages_are_the_rule_the_worker_stops_and_a_setting_lets_it_pass(
    pipeline: Pipeline, topic: Topic
) -> None:
    for _ in range(40):
        pipeline.send_bytes(topic, _GARBAGE)
    pipeline.send_flow("10.0.1.7", 1001)
    stopped = pipeline.ended("streams")
    assert stopped.returncode == 1
    lines = [line for line in stopped.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, stopped.stderr
    assert "messages of" in lines[0]
    assert "CONNTRAIL_WORKER__REFUSAL_SHARE=1" in lines[0]
    with pipeline.running(WORKER__REFUSAL_SHARE="1"):
        pipeline.await_flow(1001)
