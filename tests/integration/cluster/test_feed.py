"""Events and changes out of manifests, and audit events by a webhook, into real topics."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.feed import FeedView
from tests.support.kubernetes_agent import AgentProcess, ObjectsView, await_that, running_agent
from tests.support.kubernetes_objects import controller, network_policy, pod
from tests.unit.agents.cluster.audit.events import audit_event, listed

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_OWNED = pod("web-1-a", owner=("Deployment", "web"), labels={"app": "web"})
_POLICY = network_policy("deny", {"podSelector": {"matchLabels": {"app": "web"}}}, created_at_ns=0)


@pytest.fixture
def view(kafka: str, topic_prefix: str) -> Iterator[ObjectsView]:
    found = ObjectsView(kafka, topic_prefix)
    yield found
    found.close()


@pytest.fixture
def feed(kafka: str, view: ObjectsView) -> Iterator[FeedView]:
    found = FeedView(kafka, view.prefix)
    yield found
    found.close()


@pytest.fixture
def address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return f"127.0.0.1:{one.getsockname()[1]}"


@pytest.fixture
def settings(kafka: str, view: ObjectsView, tmp_path: Path, address: str) -> dict[str, str]:
    (tmp_path / "manifests").mkdir()
    return {
        "KAFKA__BOOTSTRAP_SERVERS": kafka,
        "KAFKA__TOPIC_PREFIX": view.prefix,
        "CLUSTER_AGENT__MANIFESTS": str(tmp_path / "manifests"),
        "AUDIT__ADDRESS": address,
    }


@pytest.fixture
def agent(tmp_path: Path, settings: dict[str, str], feed: FeedView, address: str) -> Iterator[AgentProcess]:
    assert feed.events() == []
    _write(tmp_path, controller("Deployment", "web"), _OWNED)
    with running_agent(tmp_path / "agent", settings) as process:
        await_that(process.is_ready, "the agent is ready")
        await_that(lambda: _post(address, listed()) == 200, "audit events are taken")
        yield process


def _write(directory: Path, *objects: dict[str, Any]) -> None:
    """At once, as a careful writer does."""
    fresh = directory / "fresh"
    fresh.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": objects}))
    fresh.replace(directory / "manifests" / "objects.yaml")


def _event(count: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "web-1-a.1", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web-1-a"},
        "reason": "BackOff",
        "count": count,
        "lastTimestamp": "2026-01-01T12:00:00Z",
    }


def _post(address: str, body: bytes) -> int:
    try:
        with _OPENER.open(urllib.request.Request(f"http://{address}/", body), timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.usefixtures("agent")
def test_events_in_manifests_are_told_once_a_count(tmp_path: Path, feed: FeedView) -> None:
    for count in (1, 1, 4):
        _write(tmp_path, controller("Deployment", "web"), _OWNED, pod(f"other-{count}"), _event(count))
        await_that(lambda count=count: bool(feed.events()) and feed.events()[-1]["count"] == count, "it is told")
    assert [(one["count"], one["workloads"]) for one in feed.events()] == [(1, ["default/web"]), (4, ["default/web"])]


@pytest.mark.usefixtures("agent")
def test_a_policy_in_manifests_is_a_change_and_its_user_is_told_when_the_audit_log_says_it(
    tmp_path: Path, feed: FeedView, address: str
) -> None:
    _write(tmp_path, controller("Deployment", "web"), _OWNED, _POLICY)
    await_that(lambda: len(feed.changes()) == 1, "the change is told")
    (change,) = feed.changes()
    assert (change["action"], change["name"], change["workloads"], change["by"]) == (
        "created",
        "deny",
        ["default/web"],
        "",
    )
    reference = {"apiGroup": "networking.k8s.io", "resource": "networkpolicies", "namespace": "default", "name": "deny"}
    at = _instant(change["at_ns"])
    assert _post(address, listed(audit_event(objectRef=reference, requestReceivedTimestamp=at))) == 200
    await_that(lambda: len(feed.changes()) == 2, "the change is told again")
    again = feed.changes()[1]
    assert (again["id"], again["by"]) == (change["id"], "jane")
    assert [(one["user"], one["workloads"]) for one in feed.audit()] == [("jane", ["default/web"])]


def test_what_is_no_audit_event_is_a_dead_letter_without_its_content(
    agent: AgentProcess, feed: FeedView, address: str
) -> None:
    assert _post(address, b'{"secret": "content"') == 400
    assert _post(address, listed(audit_event(), {"secret": "content"})) == 200
    await_that(lambda: len(feed.letters()) == 2, "both are told")
    assert {one["stage"] for one in feed.letters()} == {"audit"}
    assert "content" not in repr(feed.letters())
    assert len(feed.audit()) == 1
    assert agent.figure("conntrail_cluster_agent_audit_malformed_total") == 2
    assert agent.figure('conntrail_cluster_agent_audit_requests_total{status="400"}') == 1


def _instant(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat()
