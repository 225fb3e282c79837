"""Who did what, by the audit log of a real API server: joined to what it touches and to the change that it made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.audit import policy_flag, webhook
from tests.kubernetes.workloads import Workloads
from tests.support.feed import FeedView
from tests.support.kubernetes_agent import await_that, running_agent
from tests.support.kubernetes_api.server import ApiServer

_POLICY = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}
_POLICIES = "networking.k8s.io/v1"
_SECRET = "bm90LXRvLWJlLWtlcHQ="


@pytest.fixture
def workloads(api_server: ApiServer, topic_prefix: str) -> Workloads:
    return Workloads(api_server, topic_prefix.rstrip("."))


@pytest.fixture
def plain_again(api_server: ApiServer) -> Iterator[None]:
    """Other tests get the API server back as it was."""
    yield
    api_server.stop_api()
    api_server.start_api()


def _make_policy(server: ApiServer, namespace: str, name: str) -> None:
    path = f"/apis/{_POLICIES}/namespaces/{namespace}/networkpolicies"
    server.request("POST", path, {"metadata": {"name": name}, "spec": _POLICY}, user="jane")


def _of_jane(feed: FeedView, namespace: str) -> list[dict[str, Any]]:
    return [one for one in feed.audit() if one["user"] == "jane" and one["namespace"] == namespace]


def _ids(feed: FeedView, namespace: str) -> set[str]:
    return {one["audit_id"] for one in _of_jane(feed, namespace)}


def _named(feed: FeedView, namespace: str) -> list[dict[str, Any]]:
    named = {one["audit_id"]: one for one in _of_jane(feed, namespace) if one["workloads"]}
    return list(named.values())


def _latest(records: list[dict[str, Any]], identity: str, version: str) -> dict[str, dict[str, Any]]:
    """As an index keeps them: of one identity the highest version."""
    kept: dict[str, dict[str, Any]] = {}
    for record in records:
        before = kept.get(record[identity])
        if before is None or before[version] <= record[version]:
            kept[record[identity]] = record
    return kept


@pytest.mark.usefixtures("plain_again")
def test_a_policy_that_a_user_made_is_told_with_its_user_whoever_is_away_meanwhile(
    api_server: ApiServer, feed: FeedView, settings: dict[str, str], workloads: Workloads, tmp_path: Path
) -> None:
    hook, namespace = webhook(tmp_path), workloads.namespace
    workloads.make_pod("web")
    api_server.stop_api()
    api_server.start_api(*hook.flags)
    settings = {**settings, **hook.settings}

    def changes() -> dict[str, dict[str, Any]]:
        found = _latest(feed.changes(), "id", "by_at_ns").values()
        return {one["name"]: one for one in found if one["kind"] == "NetworkPolicy" and one["namespace"] == namespace}

    with running_agent(tmp_path / "first", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        _make_policy(api_server, namespace, "first")
        secret = {"metadata": {"name": "hidden"}, "data": {"token": _SECRET}}
        api_server.request("POST", f"/api/v1/namespaces/{namespace}/secrets", secret, user="jane")
        await_that(lambda: len(_ids(feed, namespace)) == 2, "both requests are told")
        await_that(lambda: changes()["first"]["by"] == "jane", "the change is jane's")
        assert agent.stop() == 0
    # Nobody takes what the API server tells now; it tells it again.
    _make_policy(api_server, namespace, "second")
    with running_agent(tmp_path / "second", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        await_that(lambda: len(_ids(feed, namespace)) == 3, "what was done meanwhile is told", 120)
        api_server.stop_api()
        api_server.start_api(*hook.flags)
        _make_policy(api_server, namespace, "third")
        await_that(lambda: len(_ids(feed, namespace)) == 4, "it is told after a restart of the API server")
        await_that(lambda: changes().get("third", {}).get("by") == "jane", "the change is jane's")
        await_that(lambda: len(_named(feed, namespace)) == 3, "each request names the workload that its policy touches")
        assert agent.figure("conntrail_cluster_agent_audit_malformed_total") == 0

    # What was told before the policy was known is told again with names.
    told = {one["audit_id"]: one for one in [*_of_jane(feed, namespace), *_named(feed, namespace)]}
    assert sorted((one["verb"], one["kind"] or one["resource"], one["name"]) for one in told.values()) == [
        ("create", "NetworkPolicy", "first"),
        ("create", "NetworkPolicy", "second"),
        ("create", "NetworkPolicy", "third"),
        ("create", "secrets", "hidden"),
    ]
    policies = [one for one in told.values() if one["kind"] == "NetworkPolicy"]
    assert {tuple(one["workloads"]) for one in policies} == {(f"{namespace}/web",)}
    assert {(one["workload_kind"], one["workload_name"], one["status_code"]) for one in policies} == {
        ("Pod", "web", 201)
    }
    assert {name: (one["action"], one["by"], one["workloads"]) for name, one in changes().items()} == {
        name: ("created", "jane", [f"{namespace}/web"]) for name in ("first", "second", "third")
    }
    assert _SECRET not in repr(feed.audit())
    assert feed.letters() == []


@pytest.mark.usefixtures("plain_again")
def test_a_log_is_followed_over_rotation_and_crashes_without_a_loss(
    api_server: ApiServer, feed: FeedView, settings: dict[str, str], workloads: Workloads, tmp_path: Path
) -> None:
    log, namespace = tmp_path / "audit.log", workloads.namespace
    flags = (policy_flag(tmp_path), f"--audit-log-path={log}")
    settings = {**settings, "AUDIT__FILE": str(log), "AUDIT__STATE_FILE": str(tmp_path / "state" / "audit")}
    (tmp_path / "state").mkdir()
    api_server.stop_api()
    api_server.start_api(*flags)
    made = [f"policy-{number}" for number in range(12)]

    def names() -> list[str]:
        return [one["name"] for one in _of_jane(feed, namespace)]

    def crash() -> None:
        api_server.stop_api()
        log.rename(tmp_path / f"audit-{len(list(tmp_path.iterdir()))}.log")
        api_server.start_api(*flags)

    with running_agent(tmp_path / "first", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        for name in made[:3]:
            _make_policy(api_server, namespace, name)
        crash()
        for name in made[3:6]:
            _make_policy(api_server, namespace, name)
        await_that(lambda: set(made[:6]) <= set(names()), "the log is told over its rotation")
        agent.process.kill()
        agent.process.wait()
    for name in made[6:9]:
        _make_policy(api_server, namespace, name)
    crash()
    for name in made[9:]:
        _make_policy(api_server, namespace, name)
    with running_agent(tmp_path / "second", settings) as agent:
        await_that(lambda: set(made) <= set(names()), "what was logged meanwhile is told too")
        assert agent.figure("conntrail_cluster_agent_audit_malformed_total") == 0
    told = {(one["audit_id"], one["name"]) for one in _of_jane(feed, namespace)}
    assert sorted(name for _, name in told) == sorted(made)
