"""What the agent says when rights are missing, and who of several replicas publishes."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

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


def test_a_missing_right_is_named_with_verb_and_resource(
    account: Account, settings: dict[str, str], topic_prefix: str
) -> None:
    read = ["get", "list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["namespaces", "nodes"], "verbs": read},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
    ]
    poor = account(f"poor-{topic_prefix.rstrip('.')}", rules)
    ended = ended_agent({**settings, "CLUSTER_AGENT__KUBECONFIG": str(poor)})
    assert ended.returncode == 1
    assert "no right to list deployments" in ended.stderr.splitlines()[-1]


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
