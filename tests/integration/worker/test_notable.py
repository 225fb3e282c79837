"""A worker that indexes notable flows only: a pair's first window is there, its later ones as windows alone."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.topic import FLOWS_RAW
from tests.support.parts import SECOND, batch, encoded, raw_flow
from tests.support.pipeline import Pipeline
from tests.support.stack import RunningStack

CLIENT, SERVER = "10.0.1.7", "10.0.1.8"
WINDOW, PART = 6, 2
"""Seconds."""


@pytest.fixture
def pipeline(stack: RunningStack, tmp_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(stack, tmp_path)
    pipeline.add_pod("web", CLIENT)
    pipeline.add_pod("api", SERVER)
    with pipeline.running(INDEX__FLOWS="notable"):
        yield pipeline


def datagram(number: int, at: int) -> dict[str, Any]:
    """One that was answered, within a node, from another port each time."""
    return raw_flow(
        flow_key=number, connection_id=number, protocol=17, seen_reply=True, evidence="confirmed", end_reason="closed",
        is_first=True, started_at_ns=at * SECOND, seen_at_ns=at * SECOND, ended_at_ns=at * SECOND,
        original_source_address=CLIENT, original_destination_address=SERVER, original_source_port=40000 + number,
        original_destination_port=53, original_packets=1, original_bytes=84,
        reply_source_address=SERVER, reply_destination_address=CLIENT, reply_source_port=53,
        reply_destination_port=40000 + number, reply_packets=1, reply_bytes=84,
    )  # fmt: skip


def test_flows_of_the_first_window_and_all_windows_are_there(pipeline: Pipeline) -> None:
    start = int(time.time()) // WINDOW * WINDOW - 5 * WINDOW
    for sequence in range(10):
        at = start + PART * sequence
        part = batch("node1", sequence, at, at + PART)
        pipeline.send_bytes(FLOWS_RAW, encoded(part, [datagram(sequence, at + 1)]), b"node1")
    third_ends = start + 3 * WINDOW
    last = pipeline.await_document("metrics-conntrail.window", lambda found: end_of(found) == third_ends)
    assert last["conntrail"]["level"] == "notable"
    windows = [found for found in pipeline.documents("metrics-conntrail.window") if end_of(found) <= third_ends]
    assert sum(found["flow"]["connections"]["started"] for found in windows) == 9
    flows = [found for found in pipeline.documents("logs-conntrail.flow") if end_of(found) <= third_ends]
    assert sorted(found["source"]["port"] for found in flows) == [40000, 40001, 40002]
    assert {tuple(found["conntrail"]["notable"]) for found in flows} == {("new_edge",)}


def end_of(document: dict[str, Any]) -> float:
    """Unix time."""
    return datetime.fromisoformat(document["@timestamp"]).timestamp()
