"""Kinds that come with whoever installs them: followed when they come, gone when they go, told from their namesakes."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes.conftest import RULES
from tests.kubernetes.workloads import Workloads
from tests.support.kubernetes_agent import AgentProcess, ObjectsView, await_that, running_agent
from tests.support.kubernetes_api.server import ApiServer, RefusedError

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ADMIN = ("policy.networking.k8s.io", "v1alpha1", "AdminNetworkPolicy", "adminnetworkpolicies", "Cluster")
_CALICO = ("projectcalico.org", "v3", "NetworkPolicy", "networkpolicies", "Namespaced")
_CALICO_STORED = ("crd.projectcalico.org", "v1", "NetworkPolicy", "networkpolicies", "Namespaced")
_SET_STORED = ("crd.projectcalico.org", "v1", "GlobalNetworkSet", "globalnetworksets", "Cluster")
_CILIUM = ("cilium.io", "v2", "CiliumNetworkPolicy", "ciliumnetworkpolicies", "Namespaced")
Definition = tuple[str, str, str, str, str]


class Extensions:
    """Kinds that a test installs, and their objects."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._installed: list[Definition] = []

    def install(self, *definitions: Definition) -> None:
        for definition in definitions:
            self._server.request("POST", _CRDS, _document(definition))
            self._installed.append(definition)
        for definition in definitions:
            await_that(partial(self._is_served, definition), f"{definition[3]} are served")

    def uninstall(self, definition: Definition) -> None:
        self._installed.remove(definition)
        self._server.request("DELETE", f"{_CRDS}/{definition[3]}.{definition[0]}")

    def uninstall_all(self) -> None:
        for definition in list(self._installed):
            self.uninstall(definition)

    def create(self, definition: Definition, name: str, namespace: str = "", **fields: Any) -> None:
        group, version, kind, plural, _ = definition
        place = f"namespaces/{namespace}/{plural}" if namespace else plural
        metadata = {"name": name, **fields.pop("metadata", {})}
        body = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, **fields}
        self._server.request("POST", f"/apis/{group}/{version}/{place}", body)

    def _is_served(self, definition: Definition) -> bool:
        group, version, _, plural, _ = definition
        try:
            self._server.request("GET", f"/apis/{group}/{version}/{plural}")
        except RefusedError:
            return False
        return True


@pytest.fixture
def workloads(api_server: ApiServer, topic_prefix: str) -> Workloads:
    return Workloads(api_server, topic_prefix.rstrip("."))


@pytest.fixture
def extensions(api_server: ApiServer) -> Iterator[Extensions]:
    """Gone after the test."""
    made = Extensions(api_server)
    yield made
    made.uninstall_all()


@pytest.fixture
def agent(settings: dict[str, str], tmp_path: Path) -> Iterator[AgentProcess]:
    with running_agent(tmp_path / "agent", settings) as running:
        await_that(running.is_ready, "the agent is ready")
        yield running


def _document(definition: Definition) -> dict[str, Any]:
    group, version, kind, plural, scope = definition
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    # Groups of Kubernetes' own need to be approved; that is what the annotation says.
    metadata = {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved, of a test"}}
    return {
        "metadata": metadata,
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"plural": plural, "kind": kind},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }


def test_a_kind_installed_later_is_followed_and_its_objects_go_with_it(
    agent: AgentProcess, extensions: Extensions, view: ObjectsView, workloads: Workloads
) -> None:
    assert agent.is_ready()
    extensions.install(_ADMIN, _CILIUM)
    extensions.create(_ADMIN, "guard", spec={"priority": 7})
    extensions.create(_CILIUM, "web", workloads.namespace, spec={"endpointSelector": {}})
    guard = "AdminNetworkPolicy.policy.networking.k8s.io//guard"
    web = f"CiliumNetworkPolicy.cilium.io/{workloads.namespace}/web"
    await_that(lambda: {guard, web} <= view.read().living().keys(), "both kinds are told")
    assert view.living()[guard]["api_version"] == "policy.networking.k8s.io/v1alpha1"
    assert view.living()[guard]["spec_json"] == '{"priority":7}'

    extensions.uninstall(_ADMIN)
    await_that(lambda: guard not in view.read().living(), "the policy is told to be gone")
    assert web in view.living()
    assert agent.is_ready()


def test_policies_of_one_name_and_of_several_groups_are_several(
    agent: AgentProcess, api_server: ApiServer, extensions: Extensions, view: ObjectsView, workloads: Workloads
) -> None:
    extensions.install(_CALICO_STORED, _SET_STORED)
    namespace = workloads.namespace
    workloads.make("networking.k8s.io/v1/networkpolicies", {"metadata": {"name": "p"}, "spec": {"podSelector": {}}})
    extensions.create(_CALICO_STORED, "p", namespace, spec={"selector": "all()"})
    stored = '{"labels": {"partner": "yes"}}'
    metadata = {"annotations": {"projectcalico.org/metadata": stored}}
    extensions.create(_SET_STORED, "partners", spec={"nets": ["192.0.2.0/24"]}, metadata=metadata)
    ours = f"NetworkPolicy/{namespace}/p"
    calico = f"NetworkPolicy.crd.projectcalico.org/{namespace}/p"
    partners = "GlobalNetworkSet.crd.projectcalico.org//partners"
    await_that(lambda: {ours, calico, partners} <= view.read().living().keys(), "all are told")
    assert view.living()[partners]["labels"] == {"partner": "yes"}
    assert agent.figure('conntrail_cluster_agent_objects{kind="NetworkPolicy.crd.projectcalico.org"}') == 1

    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/p"
    api_server.request("DELETE", path)
    await_that(lambda: ours not in view.read().living(), "one is told to be gone")
    assert calico in view.living()


def test_what_calico_serves_itself_is_not_read_from_where_it_is_stored(
    settings: dict[str, str], extensions: Extensions, view: ObjectsView, workloads: Workloads, tmp_path: Path
) -> None:
    extensions.install(_CALICO, _CALICO_STORED)
    extensions.create(_CALICO, "p", workloads.namespace, spec={"selector": "all()"})
    extensions.create(_CALICO_STORED, "default.p", workloads.namespace, spec={"selector": "all()"})
    with running_agent(tmp_path / "agent", settings) as agent:
        await_that(agent.is_ready, "the agent is ready")
        served = f"NetworkPolicy.projectcalico.org/{workloads.namespace}/p"
        await_that(lambda: served in view.read().living(), "the policy is told")
        own = f"/{workloads.namespace}/"
        assert [key for key in view.living() if key.startswith("NetworkPolicy") and own in key] == [served]


def test_a_kind_that_is_there_and_forbidden_is_named_and_one_that_is_not_there_is_not(
    account: Callable[[str, list[dict[str, Any]]], Path],
    settings: dict[str, str],
    extensions: Extensions,
    workloads: Workloads,
    tmp_path: Path,
) -> None:
    extensions.install(_CILIUM)
    rules = [rule for rule in RULES if "cilium.io" not in rule["apiGroups"]]
    poor = {**settings, "CLUSTER_AGENT__KUBECONFIG": str(account(f"poor-{workloads.namespace}", rules))}
    with running_agent(tmp_path / "agent", poor) as agent:
        await_that(lambda: "no right to list ciliumnetworkpolicies" in agent.why_not_ready(), "the fault is shown")
        assert agent.why_not_ready().count("no right") == 1
