"""The topic against a real API server: churn, restarts, expired watches."""

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes.workloads import Workloads, differences
from tests.support.kubernetes_agent import AgentProcess, ObjectsView, await_that, overlaps, running_agent
from tests.support.kubernetes_api.server import ApiServer

_PODS = 1000
_ADDRESSES = 60
_UNSEEN = 100


@pytest.fixture
def agent(tmp_path: Path, settings: dict[str, str]) -> Iterator[AgentProcess]:
    with running_agent(tmp_path / "agent", {**settings, "CLUSTER_AGENT__LEASE_DURATION": "60s"}) as process:
        await_that(process.is_ready, "the agent is ready")
        yield process


@pytest.fixture
def workloads(api_server: ApiServer, topic_prefix: str) -> Workloads:
    return Workloads(api_server, topic_prefix.rstrip("."))


def _await_equal(server: ApiServer, view: ObjectsView) -> None:
    found: list[str] = []

    def is_equal() -> bool:
        found[:] = differences(server, view)
        return not found

    try:
        await_that(is_equal, "the topic equals the API", 120)
    except AssertionError as error:
        raise AssertionError(f"{error}: {found[:5]}") from None


def _crash(server: ApiServer, *flags: str) -> None:
    server.stop_api()
    server.start_api(*flags)


class _Churn:
    """Pods that come, run on addresses of a small pool, end and go, in an order drawn from a seed."""

    def __init__(self, workloads: Workloads, seed: int) -> None:
        self._workloads = workloads
        self._random = random.Random(seed)
        self._free = [f"10.1.0.{number}" for number in range(1, _ADDRESSES + 1)]
        self._running: dict[str, str] = {}
        self._over: list[str] = []
        self._made = 0

    def make(self, count: int) -> None:
        for _ in range(count):
            self._step()

    def _step(self) -> None:
        name = f"pod-{self._made}"
        self._made += 1
        self._workloads.make_pod(name)
        if not self._free:
            self._end_one()
        # The address that came back last goes out first: reuse at once.
        address = self._free.pop()
        self._workloads.run_pod(name, address)
        self._running[name] = address
        while len(self._running) > 5 and self._random.random() < 0.6:
            self._end_one()

    def _end_one(self) -> None:
        name = self._random.choice(list(self._running))
        if self._random.random() < 0.5:
            self._workloads.end_pod(name)
            self._over.append(name)
        else:
            self._workloads.delete_pod(name)
        self._free.append(self._running.pop(name))
        if len(self._over) > 20:
            self._workloads.delete_pod(self._over.pop(0))


def test_the_topic_equals_the_api_after_a_thousand_pods_and_a_restart(
    api_server: ApiServer, agent: AgentProcess, view: ObjectsView, workloads: Workloads
) -> None:
    churn = _Churn(workloads, seed=1)
    churn.make(_PODS // 2)
    _await_equal(api_server, view)
    _crash(api_server)
    # Until the agent has listed anew, a pod may come and go unseen: nobody remembers it. All others are told.
    churn.make(_UNSEEN)
    _await_equal(api_server, view)
    churn.make(_PODS - _PODS // 2 - _UNSEEN)
    _await_equal(api_server, view)
    named = {key for key, _ in view.history}
    seen = [*range(_PODS // 2), *range(_PODS // 2 + _UNSEEN, _PODS)]
    assert [number for number in seen if f"Pod/{workloads.namespace}/pod-{number}" not in named] == []
    assert overlaps(view) == []
    assert agent.figure("conntrail_cluster_agent_unpublishable_records_total") == 0


def test_what_happened_while_a_watch_expired_is_found_by_listing_anew(
    api_server: ApiServer, agent: AgentProcess, view: ObjectsView, workloads: Workloads
) -> None:
    workloads.make_pod("goes")
    workloads.make_pod("stays")
    _await_equal(api_server, view)
    agent.process.send_signal(signal.SIGSTOP)
    # Its watches end with the first crash, so what changes then does not wait in their sockets; after the second the
    # API server remembers no version from before the change.
    _crash(api_server)
    workloads.delete_pod("goes")
    workloads.make_pod("comes")
    workloads.run_pod("stays", "10.2.0.1")
    _crash(api_server)
    agent.process.send_signal(signal.SIGCONT)
    _await_equal(api_server, view)
    await_that(
        lambda: agent.figure('conntrail_cluster_agent_watch_restarts_total{cause="expired",kind="pods"}') >= 1,
        "the expiry is counted",
    )
    gone = view.last[f"Pod/{workloads.namespace}/goes"]
    assert gone is not None
    assert gone["deleted_at_ns"] is not None


def test_a_kind_that_the_server_lacks_is_done_without(
    api_server: ApiServer, settings: dict[str, str], view: ObjectsView, workloads: Workloads, tmp_path: Path
) -> None:
    _crash(api_server, "--runtime-config=batch/v1=false")
    try:
        with running_agent(tmp_path / "agent", settings) as agent:
            await_that(agent.is_ready, "the agent is ready")
            workloads.make_pod("a")
            await_that(lambda: f"Pod/{workloads.namespace}/a" in view.read().living(), "the pod is told")
            assert agent.is_ready()
            assert agent.figure('conntrail_cluster_agent_watch_restarts_total{cause="missing",kind="jobs"}') == 1
        log = (tmp_path / "agent" / "log").read_text()
        assert log.count("the API server has no jobs") == 1
    finally:
        _crash(api_server)


@pytest.mark.usefixtures("agent")
def test_a_pod_names_its_deployment(api_server: ApiServer, view: ObjectsView, workloads: Workloads) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "x"}]}}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    deployment = workloads.make("apps/v1/deployments", {"metadata": {"name": "web"}, "spec": spec})
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    reference["uid"] = deployment["metadata"]["uid"]
    metadata = {"name": "web-1", "ownerReferences": [reference]}
    replicas = workloads.make("apps/v1/replicasets", {"metadata": metadata, "spec": spec})
    workloads.make_pod("web-1-a", replicas)
    _await_equal(api_server, view)

    def workload() -> object:
        record = view.read().living().get(f"Pod/{workloads.namespace}/web-1-a")
        return record and record["workload"]

    await_that(lambda: workload() == {"kind": "Deployment", "name": "web"}, "the workload is the deployment")


def test_a_restarted_agent_publishes_what_changed_and_nothing_else(
    api_server: ApiServer, tmp_path: Path, settings: dict[str, str], view: ObjectsView, workloads: Workloads
) -> None:
    for name in ("same", "changes", "goes"):
        workloads.make_pod(name)
    with running_agent(tmp_path / "first", settings) as first:
        await_that(first.is_ready, "the agent is ready")
        _await_equal(api_server, view)
        assert first.stop() == 0
    before = len(view.read().history)
    workloads.delete_pod("goes")
    workloads.label_pod("changes", {"new": "label"})
    with running_agent(tmp_path / "second", settings) as second:
        await_that(second.is_ready, "the agent is ready")
        _await_equal(api_server, view)
    names = {f"Pod/{workloads.namespace}/{name}" for name in ("changes", "goes")}
    assert {key for key, _ in view.read().history[before:]} == names
