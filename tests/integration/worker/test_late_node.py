"""What one node alone saw gives way to the other node's report of the connection, however late that comes."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.topic import FLOWS_RAW
from tests.support.kubernetes_agent import await_that
from tests.support.parts import SECOND, batch, encoded, raw_flow
from tests.support.pipeline import Pipeline
from tests.support.stack import RunningStack

Row = dict[str, Any]
CLIENT, SERVER = "10.0.1.7", "10.0.2.8"
NEAR, FAR = 1, 2
"""Identity of the connection on the client's node, and on the server's."""


@pytest.fixture
def pipeline(stack: RunningStack, tmp_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(stack, tmp_path)
    pipeline.add_pod("web", CLIENT, node="node1")
    pipeline.add_pod("api", SERVER, node="node2")
    with pipeline.running():
        yield pipeline


def report(connection_id: int, started: float) -> Row:
    """A ping that was answered, as a node tells it."""
    at = int(started * SECOND)
    return raw_flow(
        flow_key=77, connection_id=connection_id, protocol=1, icmp_type=8, icmp_code=0, icmp_id=9, seen_reply=True,
        evidence="confirmed", end_reason="active", is_first=True, started_at_ns=at, seen_at_ns=at,
        original_source_address=CLIENT, original_destination_address=SERVER, original_packets=1, original_bytes=84,
        reply_source_address=SERVER, reply_destination_address=CLIENT, reply_packets=1, reply_bytes=84,
    )  # fmt: skip


class Node:
    """Sends its parts in order, one of two seconds after the other."""

    def __init__(self, pipeline: Pipeline, name: str, start: int) -> None:
        self._pipeline, self._name, self._start = pipeline, name, start
        self._sequence = 0

    def send(self, *rows: Row) -> None:
        start = self._start + 2 * self._sequence
        part = batch(self._name, self._sequence, start, start + 2)
        self._sequence += 1
        self._pipeline.send_bytes(FLOWS_RAW, encoded(part, rows), self._name.encode())


def identities(pipeline: Pipeline) -> list[str]:
    return sorted(found["flow"]["id"] for found in pipeline.documents("logs-conntrail.flow"))


def window_sums(pipeline: Pipeline) -> tuple[int, int]:
    """Bytes, and connections that began."""
    windows = pipeline.documents("metrics-conntrail.window")
    started = sum(found["flow"]["connections"]["started"] for found in windows)
    return sum(found["network"]["bytes"] for found in windows), started


def await_one_flow(pipeline: Pipeline) -> None:
    """Until the connection is the near node's and nothing else, in flows and in windows."""
    await_that(lambda: identities(pipeline) == [f"{NEAR:016x}"], "the near node's flow alone")
    await_that(lambda: window_sums(pipeline) == (168, 1), "the near node's flow alone in windows")
    assert identities(pipeline) == [f"{NEAR:016x}"]


def test_a_node_that_was_away_takes_the_place_of_what_was_told_without_it(pipeline: Pipeline) -> None:
    start = int(time.time()) // 6 * 6 - 6
    near, far = Node(pipeline, "node1", start), Node(pipeline, "node2", start)
    far.send()
    far.send()
    far.send()
    far.send(report(FAR, start + 5.99))  # in the window after: its end is heard of late
    for _ in range(4):
        far.send()
    pipeline.await_document("logs-conntrail.flow", lambda found: found["flow"]["id"] == f"{FAR:016x}")
    near.send()
    near.send()
    near.send(report(NEAR, start + 5.98))
    for _ in range(5):
        near.send()
    await_one_flow(pipeline)


def test_a_step_that_comes_late_settles_the_one_before_it_again(pipeline: Pipeline) -> None:
    start = int(time.time()) // 6 * 6 - 6
    near, far = Node(pipeline, "node1", start), Node(pipeline, "node2", start)
    for _ in range(3):
        near.send()
        far.send()
    near.send()
    far.send(report(FAR, start + 7.98))
    for _ in range(4):
        far.send()
    pipeline.await_document("logs-conntrail.flow", lambda found: found["flow"]["id"] == f"{FAR:016x}")
    near.send(report(NEAR, start + 7.99))  # which it saw begin, and told in the interval after
    for _ in range(3):
        near.send()
    await_one_flow(pipeline)
