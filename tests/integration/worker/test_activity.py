"""What happens in a cluster, from its manifests to the documents that tell it, by the real processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.kubernetes_agent import await_that, running_agent
from tests.support.kubernetes_objects import controller, network_policy, pod
from tests.support.pipeline import Pipeline
from tests.support.stack import RunningStack

_POLICY = network_policy("deny", {"podSelector": {"matchLabels": {"app": "web"}}}, created_at_ns=0)
_EVENT = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "web-1.1", "namespace": "default", "uid": "e1"},
    "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web-1"},
    "type": "Warning",
    "reason": "BackOff",
    "message": "Back-off restarting failed container",
}


@contextmanager
def _indexing(pipeline: Pipeline, directory: Path) -> Iterator[None]:
    """A worker of the index stage alone."""
    with (directory / "worker.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "index"], env=pipeline.environment(WORKER__ID="activity"), stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _write(directory: Path, *objects: dict[str, Any]) -> None:
    fresh = directory / "fresh"
    fresh.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": objects}))
    fresh.replace(directory / "manifests" / "objects.yaml")


def test_an_event_and_a_policy_are_found_by_the_workload_that_they_touch(stack: RunningStack, tmp_path: Path) -> None:
    pipeline = Pipeline(stack, tmp_path)
    web = controller("Deployment", "web"), pod("web-1", owner=("Deployment", "web"), labels={"app": "web"})
    _write(tmp_path, *web)
    settings = pipeline.settings(CLUSTER_AGENT__MANIFESTS=str(tmp_path / "manifests"))
    with running_agent(tmp_path / "agent", settings) as agent, _indexing(pipeline, tmp_path):
        await_that(agent.is_ready, "the agent is ready")
        _write(tmp_path, *web, _POLICY, {**_EVENT, "count": 1})
        event = pipeline.await_document("logs-conntrail.event", lambda found: found["event"]["action"] == "BackOff")
        change = pipeline.await_document("logs-conntrail.event", lambda found: found["event"]["action"] == "created")
        _write(tmp_path, *web, _POLICY, {**_EVENT, "count": 9})
        later = pipeline.await_document(
            "logs-conntrail.event", lambda found: found["kubernetes"].get("event", {}).get("count") == 9
        )
    assert {tuple(one["related"]["workloads"]) for one in (event, change, later)} == {("default/web",)}
    assert later["_id"] == event["_id"]
    assert change["orchestrator"]["resource"]["type"] == "networkpolicy"
    assert len(pipeline.documents("logs-conntrail.event")) == 2
