"""Kubernetes events and changes, by a real API server."""

from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.workloads import Workloads
from tests.support.feed import FeedView
from tests.support.kubernetes_agent import await_that, running_agent
from tests.support.kubernetes_api.server import ApiServer

_MERGE = "application/merge-patch+json"
_NOON = "2026-01-01T12:00:00Z"


@pytest.fixture
def workloads(api_server: ApiServer, topic_prefix: str) -> Workloads:
    return Workloads(api_server, topic_prefix.rstrip("."))


def _deployment(workloads: Workloads) -> str:
    """With a replica set and a pod; returns its path."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "x:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    top = workloads.make("apps/v1/deployments", {"metadata": {"name": "web"}, "spec": spec})
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    reference["uid"] = top["metadata"]["uid"]
    replicas = workloads.make(
        "apps/v1/replicasets", {"metadata": {"name": "web-1", "ownerReferences": [reference]}, "spec": spec}
    )
    workloads.make_pod("web-1-a", replicas)
    return f"/apis/apps/v1/namespaces/{workloads.namespace}/deployments/web"


def test_events_of_both_groups_are_told_once_a_count_and_name_the_workload(
    api_server: ApiServer, feed: FeedView, settings: dict[str, str], workloads: Workloads, tmp_path: Path
) -> None:
    namespace = workloads.namespace
    _deployment(workloads)
    about = {"kind": "Pod", "namespace": namespace, "name": "web-1-a"}
    core = {
        "metadata": {"name": "core"}, "involvedObject": about, "type": "Warning", "reason": "BackOff",
        "message": "again", "count": 1, "firstTimestamp": _NOON, "lastTimestamp": _NOON,
        "source": {"component": "kubelet", "host": "node1"},
    }  # fmt: skip
    series = {
        "metadata": {"name": "series"}, "regarding": about, "type": "Normal", "reason": "Pulled", "note": "there",
        "eventTime": "2026-01-01T12:00:00.000000Z", "reportingController": "kubelet", "reportingInstance": "node1",
        "action": "Pull",
    }  # fmt: skip

    def told() -> list[tuple[str, int]]:
        found = [one for one in feed.events() if one["namespace"] == namespace]
        assert {(one["workload_kind"], one["workload_name"]) for one in found} <= {("Deployment", "web")}
        assert all(one["workloads"] == [f"{namespace}/web"] for one in found)
        return sorted((one["reason"], one["count"]) for one in found)

    with running_agent(tmp_path / "first", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        workloads.make("v1/events", core)
        workloads.make("events.k8s.io/v1/events", series)
        await_that(lambda: told() == [("BackOff", 1), ("Pulled", 1)], "both events are told")
        path = f"/api/v1/namespaces/{namespace}/events/core"
        api_server.request("PATCH", path, {"count": 5, "lastTimestamp": "2026-01-01T12:05:00Z"}, _MERGE)
        await_that(lambda: told() == [("BackOff", 1), ("BackOff", 5), ("Pulled", 1)], "the higher count is told")
        assert agent.stop() == 0
    with running_agent(tmp_path / "second", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        workloads.make("v1/events", {**core, "metadata": {"name": "later"}, "reason": "Later"})
        await_that(lambda: ("Later", 1) in told(), "what comes later is told")
        assert told() == [("BackOff", 1), ("BackOff", 5), ("Later", 1), ("Pulled", 1)]


def test_a_rollout_and_a_scaling_are_told_also_when_nobody_was_there(
    api_server: ApiServer, feed: FeedView, settings: dict[str, str], workloads: Workloads, tmp_path: Path
) -> None:
    path = _deployment(workloads)

    def told() -> list[tuple[str, str, str]]:
        found = [one for one in feed.changes() if one["namespace"] == workloads.namespace]
        return sorted((one["action"], one["from_value"], one["to_value"]) for one in found)

    def patch(spec: dict[str, Any]) -> None:
        api_server.request("PATCH", path, {"spec": spec}, _MERGE)

    with running_agent(tmp_path / "first", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        patch({"replicas": 3})
        await_that(lambda: told() == [("scaled", "1 replicas", "3 replicas")], "the scaling is told, and nothing else")
        assert agent.stop() == 0
    patch({"template": {"spec": {"containers": [{"name": "main", "image": "x:2"}]}}})
    with running_agent(tmp_path / "second", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        await_that(
            lambda: told() == [("rolled_out", "x:1", "x:2"), ("scaled", "1 replicas", "3 replicas")],
            "the rollout is told",
        )
        workloads.make("networking.k8s.io/v1/networkpolicies", {"metadata": {"name": "p"}, "spec": {"podSelector": {}}})
        await_that(lambda: [one[0] for one in told()] == ["created", "rolled_out", "scaled"], "the policy is told")
