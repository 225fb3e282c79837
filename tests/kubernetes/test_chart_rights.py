"""The cluster agent as the chart runs it: with its service account, its roles and its settings, and nothing else."""

from pathlib import Path

import pytest

from tests.kubernetes.workloads import Workloads, differences
from tests.support.chart import environment, named, render, rights_of
from tests.support.chart_tools.fixture import helm
from tests.support.kubernetes_agent import ObjectsView, await_that, running_agent
from tests.support.kubernetes_api.apply import Applier
from tests.support.kubernetes_api.server import ApiServer

__all__ = ["helm"]
_NAMESPACE = "conntrail"
_OWN = ("HTTP__ADDRESS", "KAFKA__", "CLUSTER_AGENT__LEASE_NAMESPACE", "ELASTICSEARCH__")
"""Settings that name a place in the cluster, which this machine has elsewhere."""


@pytest.fixture
def as_in_chart(api_server: ApiServer, helm: Path, settings: dict[str, str], topic_prefix: str) -> dict[str, str]:
    """Settings of the agent in a release of its own, whose rights have been applied."""
    release = topic_prefix.rstrip(".")
    manifests = render(helm, {}, release=release)
    name = f"{release}-conntrail-cluster-agent"
    applier = Applier(api_server)
    rights = rights_of(manifests, name)
    assert len(rights) == 5
    for manifest in rights:
        applier.apply(manifest, _NAMESPACE, is_dry=False)
    path = f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts/{name}/token"
    token = api_server.request("POST", path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
    told = environment(manifests, named(manifests, "Deployment", name)["spec"]["template"])
    chart = {key.removeprefix("CONNTRAIL_"): value for key, value in told.items()}
    kept = {key: value for key, value in chart.items() if not key.startswith(_OWN)}
    return {
        **settings,
        **kept,
        "CLUSTER_AGENT__KUBECONFIG": str(api_server.kubeconfig(token)),
        "CLUSTER_AGENT__LEASE_NAMESPACE": _NAMESPACE,
    }


def test_the_chart_gives_the_cluster_agent_all_that_it_needs(
    api_server: ApiServer, as_in_chart: dict[str, str], view: ObjectsView, topic_prefix: str, tmp_path: Path
) -> None:
    workloads = Workloads(api_server, topic_prefix.rstrip("."))
    with running_agent(tmp_path / "agent", as_in_chart) as agent:
        workloads.make_pod("a")
        await_that(agent.is_ready, "the agent is ready")
        await_that(lambda: not differences(api_server, view), "the topic equals the API")
        assert "no right" not in (tmp_path / "agent" / "log").read_text()
    lease = as_in_chart["CLUSTER_AGENT__LEASE_NAME"]
    assert api_server.request("GET", f"/apis/coordination.k8s.io/v1/namespaces/{_NAMESPACE}/leases/{lease}")
