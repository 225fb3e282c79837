"""Alerts from what nodes tell to the topic of alerts, over a worker that is killed and one that stands by."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from conntrail.system.writer import System
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import ALERTS, DENIALS_RAW, FLOWS_RAW
from tests.support.kubernetes_agent import await_that
from tests.support.parts import SECOND, batch, encoded, raw_flow
from tests.support.pipeline import WORKER, Pipeline, run_command
from tests.support.stack import RunningStack

CLIENT, SERVER, PORT = "10.0.1.7", "10.0.2.8", 5432
POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "closed", "namespace": "default", "uid": "uid-closed",
                 "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []},
}  # fmt: skip
Record = dict[str, Any]
_CODEC = SingleObjectCodec(read_schema("alert"))
_BREAK = "communication-break"
_WINDOWS_TAKEN, _DENIALS_TAKEN = (
    f'conntrail_worker_alert_records_total{{topic="{topic}"}}' for topic in ("windows", "denials")
)


class Scene:
    """A client on node1 and a server on node2; a test tells what the nodes saw."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._sequence = 0

    def succeed(self) -> None:
        """Both nodes saw the client's connection answered, within the last two seconds."""
        end = time.time_ns() // SECOND
        row = raw_flow(
            flow_key=1, connection_id=end, protocol=6, evidence="confirmed", end_reason="closed", state="time_wait",
            is_first=True, is_final=True, seen_reply=True, started_at_ns=(end - 1) * SECOND,
            seen_at_ns=end * SECOND - 1, ended_at_ns=end * SECOND - 1, original_packets=6, original_bytes=600,
            reply_packets=5, reply_bytes=900, **_ends(end),
        )  # fmt: skip
        for node in ("node1", "node2"):
            self.pipeline.send_bytes(
                FLOWS_RAW, encoded(batch(node, self._sequence, end - 2, end), [row]), node.encode()
            )
        self._sequence += 1

    def deny(self) -> None:
        """The server's node dropped two first packets just now."""
        now = time.time_ns()
        row = raw_flow(
            flow_key=1, protocol=6, evidence="attempt", end_reason="denied", state="syn_sent", attempts=2,
            started_at_ns=now - SECOND, seen_at_ns=now, **_ends(now),
        )  # fmt: skip
        end = now // SECOND + 1
        part = batch("node2", self._sequence, end - 2, end)
        self._sequence += 1
        self.pipeline.send_bytes(DENIALS_RAW, encoded(part, [row]), b"node2")

    def refuse(self) -> None:
        """The server refused the one connection that the client began, just now."""
        at_ns = time.time_ns()
        row = raw_flow(
            flow_key=1, protocol=6, evidence="confirmed", end_reason="reset", state="close", attempts=1, begun=1,
            started_at_ns=at_ns, seen_at_ns=at_ns, **_ends(at_ns),
        )  # fmt: skip
        end = at_ns // SECOND + 1
        part = batch("node1", self._sequence, end - 2, end)
        self._sequence += 1
        self.pipeline.send_bytes(DENIALS_RAW, encoded(part, [row]), b"node1")

    def alerts(self, rule: str = _BREAK) -> list[Record]:
        """Records so far of a rule, in their order."""
        records = [dict(_CODEC.decode(value)) for value in self.pipeline.values(ALERTS)]
        return [record for record in records if record["rule"] == rule]

    def until_worked(self, system: System) -> None:
        """Send successes until the engine knows the edge."""

        def is_known() -> bool:
            self.succeed()
            return _figure(system, _WINDOWS_TAKEN) >= 1

        await_that(is_known, "a window of the edge at the engine")

    def until_told(self, status: str) -> Record:
        await_that(lambda: any(one["status"] == status for one in self.alerts()), f"an alert that is {status}")
        return self.alerts()[-1]


def _ends(seed: int) -> dict[str, Any]:
    port = 32768 + seed % 28000
    return {
        "original_source_address": CLIENT, "original_source_port": port, "original_destination_address": SERVER,
        "original_destination_port": PORT, "reply_source_address": SERVER, "reply_source_port": PORT,
        "reply_destination_address": CLIENT, "reply_destination_port": port,
    }  # fmt: skip


def _figure(system: System, name: str, worker: str = WORKER) -> float:
    lines = [line for line in system.metrics_of(worker).splitlines() if line.startswith(f"{name} ")]
    return float(lines[0].split()[1]) if lines else 0.0


@pytest.fixture
def scene(stack: RunningStack, tmp_path: Path) -> Scene:
    pipeline = Pipeline(stack, tmp_path)
    pipeline.add_pod("client", CLIENT, node="node1")
    pipeline.add_pod("server", SERVER, node="node2")
    return Scene(pipeline)


def test_a_break_is_told_once_with_its_cause_and_resolved_over_a_worker_that_is_killed(scene: Scene) -> None:
    with scene.pipeline.running() as system:
        scene.until_worked(system)
        scene.pipeline.add_manifest("closed", POLICY)
        scene.deny()
        opened = scene.until_told("open")
        assert "default/client" in opened["workloads"]
        assert opened["severity"] == "high"
        assert any("closed" in policy for policy in opened["policies"])
        assert opened["worked_until_ns"] > opened["worked_since_ns"] > 0
        assert opened["suggestions"]
        document = scene.pipeline.await_document(
            "logs-conntrail.alert", lambda found: found["alert"]["id"] == opened["id"]
        )
        assert document["related"]["workloads"] == opened["workloads"]
        shown = run_command(scene.pipeline.environment(), "alerts", "list", "-o", "json")
        assert [one["id"] for one in json.loads(shown.stdout) if one["rule"] == _BREAK] == [opened["id"]]
        tried = run_command(scene.pipeline.environment(), "alerts", "test", "--since", "10m", "-o", "json")
        assert [one["id"] for one in json.loads(tried.stdout) if one["rule"] == _BREAK] == [opened["id"]]
        system.kill(WORKER)
        system.start_child(scene.pipeline.plan().worker(WORKER))
        scene.deny()
        await_that(lambda: _figure(system, _DENIALS_TAKEN) >= 1, "the next worker's engine")

        def is_resolved() -> bool:
            scene.succeed()
            return scene.alerts()[-1]["status"] == "resolved"

        await_that(is_resolved, "the alert to be resolved", seconds=90)
    told = scene.alerts()
    assert len({record["id"] for record in told}) == 1
    assert [record["status"] for record in told].count("open") == 1
    assert [record["revision"] for record in told] == sorted({record["revision"] for record in told})


def test_refusals_of_all_that_a_client_tried_for_more_than_a_second_are_a_break(scene: Scene) -> None:
    with scene.pipeline.running() as system:
        scene.until_worked(system)

        def is_told() -> bool:
            scene.refuse()
            return bool(scene.alerts())

        await_that(is_told, "an alert on the refusals")
    opened = scene.alerts()[0]
    assert opened["status"] == "open"
    assert opened["message"] == "default/client no longer reaches default/server:5432/tcp: refused"
    assert opened["count"] >= 3


def test_only_one_of_two_workers_makes_the_alerts_and_the_other_takes_over(scene: Scene) -> None:
    with scene.pipeline.running() as system:
        second = scene.pipeline.plan().worker("worker-2")
        system.start_child(second)
        active = "conntrail_worker_alerts_active"

        def holders() -> list[str]:
            return [name for name in (WORKER, "worker-2") if _figure(system, active, name) == 1]

        await_that(lambda: len(holders()) == 1, "one worker that makes the alerts")
        [first] = holders()
        other = ({WORKER, "worker-2"} - {first}).pop()
        system.kill(first)
        await_that(lambda: _figure(system, active, other) == 1, "the other to take over")


def test_a_rule_of_ones_own_is_tried_and_a_bad_one_told_with_its_line(scene: Scene, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("- id: mine\n  title: Mine\n  when: cows > 3\n")
    done = run_command(scene.pipeline.environment(), "alerts", "test", "-f", str(rules))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{rules}:1: " in done.stderr


def test_rules_that_are_none_keep_the_worker_from_starting(scene: Scene, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "- id: mine\n  title: Mine\n  category: dns\n  severity: urgent\n  signal: dns\n  when: cows > 3\n"
    )
    done = scene.pipeline.ended("streams", ALERTS__RULES=str(rules))
    assert done.returncode == 1
    assert f"{rules}:4: " in done.stderr
    assert f"{rules}:6: " in done.stderr


def test_an_address_that_is_taken_is_one_line(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = scene.pipeline.ended("streams", HTTP__ADDRESS=address)
    assert done.returncode == 1
    assert f"CONNTRAIL_HTTP__ADDRESS={address}: " in done.stderr.splitlines()[-1]
