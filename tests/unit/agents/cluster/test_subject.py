"""Which workloads a policy touches, whatever its kind."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.inventory import Inventory
from agents.cluster.record.kind import KINDS
from agents.cluster.touch import touched
from tests.support.kubernetes_objects import network_policy, pod

_NOW = 1_800_000_000_000_000_000
_TITLES = {kind.title: kind for kind in KINDS if kind.has_spec}
_ADMIN = [title for title in _TITLES if title.endswith(".policy.networking.k8s.io")]
_CALICO = ("projectcalico.org", "crd.projectcalico.org")
_WEB = {"matchLabels": {"app": "web"}}
_RED = {"matchLabels": {"team": "red"}}


def _namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _pod(name: str, namespace: str, app: str, account: str = "", *, host_network: bool = False) -> dict[str, Any]:
    made = pod(name, labels={"app": app}, host_network=host_network)
    made["metadata"] |= {"namespace": namespace, "uid": f"{namespace}-{name}"}
    made["spec"]["serviceAccountName"] = account
    return made


@pytest.fixture
def inventory() -> Inventory:
    """``web`` in two namespaces, ``db`` in one, and a pod that is its node to policies."""
    found = Inventory("test", 1 << 60)
    found.replace(
        [
            _namespace("shop", team="red"),
            _namespace("pay", team="blue"),
            _pod("web", "shop", "web", "front"),
            _pod("db", "shop", "db"),
            _pod("web", "pay", "web"),
            _pod("proxy", "shop", "web", host_network=True),
        ],
        _NOW,
    )
    return found


def touched_by(inventory: Inventory, title: str, spec: Any, namespace: str = "") -> tuple[str, ...]:
    kind = _TITLES[title]
    metadata = {"name": "p", "namespace": namespace}
    inventory.apply({"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": spec}, _NOW)
    return touched(inventory, title, namespace, "p").workloads


@pytest.mark.parametrize("title", _ADMIN)
@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({"namespaces": {}}, ("pay/web", "shop/db", "shop/web")),
        ({"namespaces": _RED}, ("shop/db", "shop/web")),
        ({"pods": {"namespaceSelector": {}, "podSelector": _WEB}}, ("pay/web", "shop/web")),
        ({"pods": {"namespaceSelector": _RED, "podSelector": _WEB}}, ("shop/web",)),
        ({"nodes": {}}, ()),
    ],
)
def test_a_policy_of_the_whole_cluster_touches_its_subject(
    inventory: Inventory, title: str, subject: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert touched_by(inventory, title, {"subject": subject}) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, ("pay/web", "shop/db", "shop/web")),
        ({"app": "web"}, ("pay/web", "shop/web")),
        ({"k8s:app": "db"}, ("shop/db",)),
        ({"any:app": "db"}, ("shop/db",)),
        ({"k8s:io.kubernetes.pod.namespace": "pay"}, ("pay/web",)),
        ({"k8s:io.cilium.k8s.namespace.labels.team": "red"}, ("shop/db", "shop/web")),
        ({"io.cilium.k8s.policy.serviceaccount": "front"}, ("shop/web",)),
        ({"reserved:host": ""}, ()),
        ({"k8s:io.cilium.k8s.policy.cluster": "other"}, ()),
    ],
)
def test_a_policy_of_cilium_touches_its_endpoints(
    inventory: Inventory, labels: dict[str, str], expected: tuple[str, ...]
) -> None:
    spec = {"endpointSelector": {"matchLabels": labels}}
    assert touched_by(inventory, "CiliumClusterwideNetworkPolicy.cilium.io", spec) == expected
    in_shop = tuple(name for name in expected if name.startswith("shop/"))
    assert touched_by(inventory, "CiliumNetworkPolicy.cilium.io", spec, "shop") == in_shop


def test_a_policy_of_nodes_touches_no_workload(inventory: Inventory) -> None:
    assert touched_by(inventory, "CiliumClusterwideNetworkPolicy.cilium.io", {"nodeSelector": {}}) == ()


def test_expressions_ask_for_what_cilium_adds(inventory: Inventory) -> None:
    asked = {"matchExpressions": [{"key": "k8s:io.kubernetes.pod.namespace", "operator": "NotIn", "values": ["shop"]}]}
    spec = {"endpointSelector": asked}
    assert touched_by(inventory, "CiliumClusterwideNetworkPolicy.cilium.io", spec) == ("pay/web",)
    asked["matchExpressions"][0]["key"] = "reserved:host"
    assert touched_by(inventory, "CiliumClusterwideNetworkPolicy.cilium.io", spec) == ()


@pytest.mark.parametrize("group", _CALICO)
def test_a_policy_of_calico_touches_all_that_it_selects_without_an_expression(inventory: Inventory, group: str) -> None:
    everyone = ("pay/web", "shop/db", "shop/web")
    for spec in ({}, {"selector": "all()"}, {"selector": "", "namespaceSelector": "all()"}):
        assert touched_by(inventory, f"GlobalNetworkPolicy.{group}", spec) == everyone
        assert touched_by(inventory, f"NetworkPolicy.{group}", spec, "pay") == ("pay/web",)
    for spec in ({"selector": "app == 'web'"}, {"serviceAccountSelector": "has(x)"}, {"selector": ["all()"]}):
        assert touched_by(inventory, f"StagedGlobalNetworkPolicy.{group}", spec) == ()
        assert touched_by(inventory, f"StagedNetworkPolicy.{group}", spec, "shop") == ()
    staged = {"podSelector": _WEB}
    assert touched_by(inventory, f"StagedKubernetesNetworkPolicy.{group}", staged, "shop") == ("shop/web",)


def test_a_pod_on_its_nodes_network_is_no_subject(inventory: Inventory) -> None:
    value = network_policy("p", {"podSelector": _WEB})
    value["metadata"]["namespace"] = "shop"
    inventory.apply(value, _NOW)
    assert touched(inventory, "NetworkPolicy", "shop", "p").workloads == ("shop/web",)


def test_one_name_in_two_namespaces_is_two_workloads(inventory: Inventory) -> None:
    touched_by(inventory, _ADMIN[0], {"subject": {"pods": {"namespaceSelector": {}, "podSelector": _WEB}}})
    what = touched(inventory, _ADMIN[0], "", "p")
    assert (what.kind, what.name, what.workloads) == ("", "", ("pay/web", "shop/web"))


_VALUES = st.recursive(st.none() | st.text(max_size=3), lambda one: st.lists(one) | st.dictionaries(st.text(), one))
_NAMES = st.sampled_from(
    ["subject", "pods", "namespaces", "podSelector", "endpointSelector", "selector", "matchLabels"]
)
_SPECS = st.recursive(_VALUES, lambda one: st.dictionaries(_NAMES, one, max_size=3), max_leaves=8)


@given(st.sampled_from(sorted(_TITLES)), _SPECS)
def test_no_spec_does_harm(title: str, spec: Any) -> None:
    inventory = Inventory("test", 1 << 60)
    inventory.replace([pod("a")], _NOW)
    assert set(touched_by(inventory, title, spec)) <= {"default/a"}
