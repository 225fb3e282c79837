"""Denials from topic to topic: named and judged at once, and told again under the same id when told again."""

import time
from pathlib import Path
from typing import Any

import pytest

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import DEAD_LETTER, DENIALS, DENIALS_RAW
from tests.support.kubernetes_agent import await_that
from tests.support.parts import SECOND, batch, encoded, raw_flow
from tests.support.pipeline import WORKER, Pipeline
from tests.support.stack import RunningStack

FAMILIES = (("10.0.1.7", "10.0.2.8"), ("fd00:1::7", "fd00:2::8"))
POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "closed", "namespace": "default", "uid": "uid-closed",
                 "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"],
             "ingress": [{"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}]}]},
}  # fmt: skip
Record = dict[str, Any]
_CODEC = SingleObjectCodec(read_schema("denial"))


class Scene:
    """A client on node1, a server on node2 and a policy between them; a test tells what nodes denied."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._sequence = 0

    def tell(self, node: str, source: str, destination: str, port: int, **facts: Any) -> bytes:
        """Two first packets, denied within the last second, as a node tells them; returns the message."""
        now = time.time_ns()
        row = raw_flow(
            flow_key=port, protocol=6, evidence="attempt", end_reason="denied", state="syn_sent", attempts=2,
            original_source_address=source, original_destination_address=destination, original_destination_port=port,
            reply_source_address=destination, reply_source_port=port, reply_destination_address=source,
            started_at_ns=now // SECOND * SECOND, seen_at_ns=now,
        )  # fmt: skip
        end = now // SECOND + 1
        value = encoded(batch(node, self._sequence, end - 2, end, **facts), [row])
        self._sequence += 1
        self.pipeline.send_bytes(DENIALS_RAW, value, node.encode())
        return value

    def told(self, port: int | None = None) -> list[Record]:
        """Records so far, of a destination's port or all."""
        records = [dict(_CODEC.decode(value)) for value in self.pipeline.values(DENIALS)]
        return [record for record in records if port is None or record["destination"]["port"] == port]

    def until_told(self, port: int, count: int = 1) -> list[Record]:
        await_that(lambda: len(self.told(port)) >= count, f"{count} records of port {port}")
        return self.told(port)


@pytest.fixture
def scene(stack: RunningStack, tmp_path: Path) -> Scene:
    pipeline = Pipeline(stack, tmp_path)
    pipeline.add_pod("client", *(client for client, _ in FAMILIES), node="node1")
    pipeline.add_pod("server", *(server for _, server in FAMILIES), node="node2")
    pipeline.add_manifest("closed", POLICY)
    return Scene(pipeline)


def test_a_denial_is_told_with_its_ends_its_policy_and_its_nearest_miss(scene: Scene) -> None:
    with scene.pipeline.running() as system:
        for port, (client, server) in enumerate(FAMILIES, 5432):
            scene.tell("node2", client, server, port)
            [record] = scene.until_told(port)
            assert (record["source"]["ip"], record["destination"]["ip"]) == (client, server)
            assert record["source"]["kubernetes"]["pod"]["name"] == "client"
            assert record["destination"]["kubernetes"]["node"]["name"] == "node2"
            assert (record["event"]["action"], record["count"]) == ("denied", 2)
            assert record["policy"]["denied_by"] == ["NetworkPolicy:default/closed:rule=-1:deny"]
            assert record["nearest_miss"].startswith("ingress: NetworkPolicy default/closed rule 0 fails by selector")
        assert 'conntrail_worker_denial_records_total{action="denied"} 2.0' in system.metrics_of(WORKER)


def test_both_nodes_reports_have_one_id_and_so_has_what_a_killed_worker_tells_again(scene: Scene) -> None:
    client, server = FAMILIES[0]
    with scene.pipeline.running() as system:
        first = scene.tell("node2", client, server, 5432)
        scene.until_told(5432)
        scene.pipeline.send_bytes(DENIALS_RAW, first)
        assert len({record["id"] for record in scene.until_told(5432, 2)}) == 1
        system.kill(WORKER)
        scene.tell("node1", client, server, 5433)
        system.start_child(scene.pipeline.plan().worker(WORKER))
        scene.until_told(5433)
        assert len({record["id"] for record in scene.told()}) == 2


def test_an_end_that_stays_unknown_is_told_as_unknown(scene: Scene) -> None:
    with scene.pipeline.running() as system:
        scene.tell("node1", "192.0.2.77", "192.0.2.78", 5432)
        [record] = scene.until_told(5432)
        assert (record["source"]["kubernetes"], record["destination"]["kubernetes"]) == (None, None)
        assert record["event"]["action"] == "failed"
        assert "conntrail_worker_unnamed_denials_total 1.0" in system.metrics_of(WORKER)


def test_what_was_cut_is_a_record_and_a_bad_message_is_a_dead_letter(scene: Scene) -> None:
    client, server = FAMILIES[1]
    with scene.pipeline.running() as system:
        scene.pipeline.send_bytes(DENIALS_RAW, b"no container")
        scene.tell("node2", client, server, 5432, lost={"denials_overflow": 700}, coverage="lossy")
        [record] = scene.until_told(5432)
        assert record["observer"] == {"name": "node2", "coverage": "lossy"}
        [cut] = scene.told(0)
        assert (cut["event"]["action"], cut["count"], cut["observer"]["name"]) == ("cut", 700, "node2")
        await_that(lambda: len(scene.pipeline.values(DEAD_LETTER)) == 1, "the dead letter")
        metrics = system.metrics_of(WORKER)
        assert "conntrail_worker_refused_denial_messages_total 1.0" in metrics
        assert "conntrail_worker_cut_denials_total 700.0" in metrics
