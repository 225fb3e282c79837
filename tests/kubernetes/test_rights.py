"""What the agent says when rights are missing, and who of several replicas publishes."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.conftest import RULES
from tests.kubernetes.workloads import Workloads, differences
from tests.support.kubernetes_agent import AgentProcess, ObjectsView, await_that, ended_agent, running_agent
from tests.support.kubernetes_api.server import ApiServer, RefusedError

Account = Callable[[str, list[dict[str, Any]]], Path]
_LEADER = "conntrail_cluster_agent_leader"


@pytest.fixture
def workloads(api_server: ApiServer, topic_prefix: str) -> Workloads:
    return Workloads(api_server, topic_prefix.rstrip("."))


@pytest.fixture
def replicas(tmp_path: Path, settings: dict[str, str]) -> Iterator[list[AgentProcess]]:
    """Two, the first of which holds the lease."""
    with running_agent(tmp_path / "one", settings) as one:
        await_that(one.is_ready, "the first is ready")
        await_that(lambda: one.figure(_LEADER) == 1, "the first leads")
        with running_agent(tmp_path / "two", settings) as two:
            await_that(two.is_ready, "the second is ready")
            yield [one, two]


@pytest.fixture
def poor(account: Account, workloads: Workloads, settings: dict[str, str]) -> dict[str, str]:
    """Settings of an agent that may not list policies."""
    rules = [rule for rule in RULES if rule["apiGroups"] != ["networking.k8s.io"]]
    return {**settings, "CLUSTER_AGENT__KUBECONFIG": str(account(f"poor-{workloads.namespace}", rules))}


def test_a_forbidden_kind_is_named_and_the_others_are_followed_until_it_is_granted(
    api_server: ApiServer, poor: dict[str, str], view: ObjectsView, workloads: Workloads, tmp_path: Path
) -> None:
    workloads.make("networking.k8s.io/v1/networkpolicies", {"metadata": {"name": "p"}, "spec": {"podSelector": {}}})
    with running_agent(tmp_path / "agent", poor) as agent:
        workloads.make_pod("a")
        policy = f"NetworkPolicy/{workloads.namespace}/p"
        await_that(lambda: f"Pod/{workloads.namespace}/a" in view.read().living(), "the pod is told")
        await_that(lambda: "no right to list networkpolicies" in agent.why_not_ready(), "the fault is shown")
        assert policy not in view.living()
        log = (tmp_path / "agent" / "log").read_text()
        assert log.count("no right to list networkpolicies") == 1
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/poor-{workloads.namespace}"
        api_server.request("PATCH", path, {"rules": RULES}, "application/merge-patch+json")
        await_that(agent.is_ready, "the agent is ready")
        await_that(lambda: policy in view.read().living(), "the policy is told")


def test_without_any_right_the_agent_ends_with_one_line(
    account: Account, settings: dict[str, str], topic_prefix: str
) -> None:
    rules = [rule for rule in RULES if rule["apiGroups"] == ["coordination.k8s.io"]]
    bare = account(f"bare-{topic_prefix.rstrip('.')}", rules)
    ended = ended_agent({**settings, "CLUSTER_AGENT__KUBECONFIG": str(bare)})
    assert ended.returncode == 1
    assert "no right to list namespaces" in ended.stderr.splitlines()[-1]


def test_a_missing_right_to_the_lease_is_named(account: Account, settings: dict[str, str], topic_prefix: str) -> None:
    none = account(f"none-{topic_prefix.rstrip('.')}", [])
    ended = ended_agent({**settings, "CLUSTER_AGENT__KUBECONFIG": str(none)})
    assert ended.returncode == 1
    assert "no right to get leases.coordination.k8s.io" in ended.stderr.splitlines()[-1]


def test_refused_credentials_are_named(api_server: ApiServer, settings: dict[str, str]) -> None:
    ended = ended_agent({**settings, "CLUSTER_AGENT__KUBECONFIG": str(api_server.kubeconfig("stale"))})
    assert ended.returncode == 1
    assert "does not accept our credentials" in ended.stderr.splitlines()[-1]


def test_without_credentials_one_line_says_what_to_do(settings: dict[str, str], tmp_path: Path) -> None:
    ended = ended_agent({**settings, "CLUSTER_AGENT__KUBECONFIG": str(tmp_path / "missing")})
    assert ended.returncode == 1
    assert "--kubeconfig" in ended.stderr.splitlines()[-1]


def test_one_replica_publishes_and_the_other_follows_when_it_stops(
    api_server: ApiServer, replicas: list[AgentProcess], view: ObjectsView, workloads: Workloads
) -> None:
    one, two = replicas
    assert two.figure(_LEADER) == 0
    assert one.stop() == 0
    await_that(lambda: two.figure(_LEADER) == 1, "the second leads", 30)
    workloads.make_pod("later")
    await_that(lambda: not differences(api_server, view), "the topic equals the API")


def test_a_killed_leader_is_replaced(
    api_server: ApiServer, replicas: list[AgentProcess], view: ObjectsView, workloads: Workloads
) -> None:
    one, two = replicas
    one.stop(signal.SIGKILL)
    workloads.make_pod("orphan")
    await_that(lambda: two.figure(_LEADER) == 1, "the second leads", 60)
    await_that(lambda: not differences(api_server, view), "the topic equals the API")


def test_a_leader_that_was_frozen_publishes_nothing_stale_when_it_wakes(
    api_server: ApiServer, replicas: list[AgentProcess], view: ObjectsView, workloads: Workloads
) -> None:
    one, two = replicas
    workloads.make_pod("a")
    await_that(lambda: not differences(api_server, view), "the topic equals the API")
    one.process.send_signal(signal.SIGSTOP)
    # What it hears while it sleeps waits in its sockets.
    workloads.label_pod("a", {"told": "both"})
    await_that(lambda: two.figure(_LEADER) == 1, "the second leads", 60)
    workloads.delete_pod("a")
    await_that(lambda: not differences(api_server, view), "the topic equals the API")
    count = len(view.history)
    one.process.send_signal(signal.SIGCONT)
    await_that(lambda: one.figure(_LEADER) == 0, "the first stands by")
    assert one.is_ready()
    assert view.read().history[count:] == []


def test_who_loses_the_lease_publishes_no_more(
    api_server: ApiServer,
    tmp_path: Path,
    settings: dict[str, str],
    view: ObjectsView,
    workloads: Workloads,
) -> None:
    with running_agent(tmp_path / "agent", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        await_that(lambda: not differences(api_server, view), "the topic equals the API")
        lease = f"/apis/coordination.k8s.io/v1/namespaces/conntrail/leases/{settings['CLUSTER_AGENT__LEASE_NAME']}"
        _give_lease(api_server, lease, "somebody else")
        await_that(lambda: agent.figure(_LEADER) == 0, "the agent gives way")
        workloads.make_pod("unseen")
        count = len(view.read().history)
        assert agent.is_ready(), "a replica that stands by is ready"
        assert len(view.read().history) == count
        _give_lease(api_server, lease, "")
        await_that(lambda: not differences(api_server, view), "the topic equals the API")


def _give_lease(server: ApiServer, path: str, holder: str) -> None:
    """Renewals race with this, so it is tried until it wins."""

    def is_done() -> bool:
        lease = server.request("GET", path)
        lease["spec"] |= {"holderIdentity": holder, "leaseDurationSeconds": 3600}
        try:
            server.request("PUT", path, lease)
        except RefusedError as error:
            if error.status == 409:
                return False
            raise
        return True

    await_that(is_done, "the lease is given")
