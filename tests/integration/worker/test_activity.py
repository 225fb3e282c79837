"""What happens in a cluster, from its manifests to the documents that tell it, by the real processes."""

import json
import os
import subprocess
import sys
import urllib.error
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conntrail.setup.main import set_up
from runtime.settings import ElasticsearchSettings, KafkaSettings, Settings
from tests.support.index import sources
from tests.support.kubernetes_agent import await_that, running_agent
from tests.support.kubernetes_objects import controller, network_policy, pod
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


@pytest.fixture
def settings(stack: RunningStack, tmp_path: Path) -> dict[str, str]:
    """Topics and templates of the test's own, and a directory of manifests."""
    name = f"a{uuid.uuid4().hex[:10]}"
    (tmp_path / "manifests").mkdir()
    set_up(
        Settings(
            kafka=KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=f"{name}.", partitions=1),
            elasticsearch=ElasticsearchSettings(hosts=stack.elasticsearch, namespace=name),
        ),
        is_dry=False,
    )
    return {
        "KAFKA__BOOTSTRAP_SERVERS": stack.kafka,
        "KAFKA__TOPIC_PREFIX": f"{name}.",
        "ELASTICSEARCH__HOSTS": stack.elasticsearch,
        "ELASTICSEARCH__NAMESPACE": name,
        "CLUSTER_AGENT__MANIFESTS": str(tmp_path / "manifests"),
        "WORKER__ID": name,
    }


@contextmanager
def _indexing(settings: dict[str, str], directory: Path) -> Iterator[None]:
    """A worker of the index stage alone."""
    ours = {f"CONNTRAIL_{name}": value for name, value in settings.items()}
    with (directory / "worker.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "streams", "index"], env={**os.environ, **ours}, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(90)


def _documents(settings: dict[str, str]) -> list[dict[str, Any]]:
    """None while the index is not there, or has no shard to search yet."""
    try:
        return sources(
            settings["ELASTICSEARCH__HOSTS"], f"logs-conntrail.event-{settings['ELASTICSEARCH__NAMESPACE']}-*"
        )
    except urllib.error.HTTPError:
        return []


def _write(directory: Path, *objects: dict[str, Any]) -> None:
    fresh = directory / "fresh"
    fresh.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": objects}))
    fresh.replace(directory / "manifests" / "objects.yaml")


def test_an_event_and_a_policy_are_found_by_the_workload_that_they_touch(
    settings: dict[str, str], tmp_path: Path
) -> None:
    def found(action: str, count: int) -> list[dict[str, Any]]:
        documents = [one for one in _documents(settings) if one["event"]["action"] == action]
        return [one for one in documents if one["kubernetes"].get("event", {}).get("count", 0) == count]

    web = controller("Deployment", "web"), pod("web-1", owner=("Deployment", "web"), labels={"app": "web"})
    _write(tmp_path, *web)
    with running_agent(tmp_path / "agent", settings) as agent, _indexing(settings, tmp_path):
        await_that(agent.is_ready, "the agent is ready")
        _write(tmp_path, *web, _POLICY, {**_EVENT, "count": 1})
        await_that(lambda: bool(found("BackOff", 1)), "the event is indexed", 120)
        await_that(lambda: bool(found("created", 0)), "the change is indexed")
        _write(tmp_path, *web, _POLICY, {**_EVENT, "count": 9})
        await_that(lambda: bool(found("BackOff", 9)), "the higher count is indexed")
    documents = _documents(settings)
    assert sorted(one["event"]["action"] for one in documents) == ["BackOff", "created"]
    assert {tuple(one["related"]["workloads"]) for one in documents} == {("default/web",)}
    assert {one["orchestrator"]["resource"]["type"] for one in documents} == {"pod", "networkpolicy"}
