"""Which workloads an object touches."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.inventory import Inventory
from agents.cluster.record.selector import selects
from agents.cluster.touch import NOTHING, Touched, touched
from tests.support.kubernetes_objects import controller, network_policy, pod

_NOW = 1_800_000_000_000_000_000
_WEB = ("Deployment", "web")


def _service(name: str, selector: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": selector}}


def _slice(name: str, service: str, *pods: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": service}}
    endpoints = [{"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": one}} for one in pods]
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "endpoints": endpoints}


@pytest.fixture
def inventory() -> Inventory:
    found = Inventory("test", 1 << 60)
    found.replace(
        [
            controller("Deployment", "web"),
            controller("ReplicaSet", "web-1", owner=_WEB),
            pod("web-1-a", owner=("ReplicaSet", "web-1"), labels={"app": "web"}),
            pod("alone", labels={"app": "alone", "tier": "x"}),
            pod("leaving", labels={"app": "web"}),
            _service("front", {"app": "web"}),
            _service("all", {"tier": "none"}),
            _service("outside", {}),
            _slice("front-x", "front", "web-1-a", "not-known"),
            network_policy("one", {"podSelector": {"matchLabels": {"app": "web"}}}),
            network_policy("every", {"podSelector": {}}),
        ],
        _NOW,
    )
    found.remove(pod("leaving"), _NOW + 1)
    return found


@pytest.mark.parametrize(
    ("title", "name", "expected"),
    [
        ("Pod", "web-1-a", Touched(*_WEB, "", ("default/web",))),
        ("Pod", "alone", Touched("Pod", "alone", "", ("default/alone",))),
        ("Pod", "not-known", NOTHING),
        ("ReplicaSet", "web-1", Touched(*_WEB, "", ("default/web",))),
        ("ReplicaSet", "not-known", NOTHING),
        ("Deployment", "not-known", Touched("Deployment", "not-known", "", ("default/not-known",))),
        ("Service", "front", Touched(*_WEB, "front", ("default/web",))),
        ("Service", "all", Touched("", "", "all", ())),
        ("Service", "outside", Touched("", "", "outside", ())),
        ("Endpoints", "front", Touched(*_WEB, "front", ("default/web",))),
        ("EndpointSlice", "front-x", Touched(*_WEB, "front", ("default/web",))),
        ("NetworkPolicy", "one", Touched(*_WEB, "", ("default/web",))),
        ("NetworkPolicy", "every", Touched("", "", "", ("default/alone", "default/web"))),
        ("NetworkPolicy", "not-known", NOTHING),
        ("Node", "node1", NOTHING),
        ("secrets", "hidden", NOTHING),
        ("", "", NOTHING),
    ],
)
def test_an_object_touches_the_workloads_of_its_pods(
    inventory: Inventory, title: str, name: str, expected: Touched
) -> None:
    assert touched(inventory, title, "default", name) == expected


def test_workloads_of_an_object_are_bounded() -> None:
    inventory = Inventory("test", 1 << 60)
    pods = [pod(f"p{number:03}") for number in range(100)]
    inventory.replace([*pods, network_policy("every", {"podSelector": {}})], _NOW)
    assert len(touched(inventory, "NetworkPolicy", "default", "every").workloads) == 64


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ({"key": "a", "operator": "In", "values": ["1", "2"]}, True),
        ({"key": "a", "operator": "In", "values": ["2"]}, False),
        ({"key": "b", "operator": "In", "values": ["1"]}, False),
        ({"key": "a", "operator": "NotIn", "values": ["2"]}, True),
        ({"key": "b", "operator": "NotIn", "values": ["2"]}, True),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, False),
        ({"key": "a", "operator": "Exists"}, True),
        ({"key": "b", "operator": "Exists"}, False),
        ({"key": "b", "operator": "DoesNotExist"}, True),
        ({"key": "a", "operator": "DoesNotExist"}, False),
        ({"key": "a", "operator": "Likes"}, False),
    ],
)
def test_expressions_hold_as_the_api_says(expression: dict[str, Any], holds: bool) -> None:
    assert selects({"matchExpressions": [expression]}, {"a": "1"}) is holds
    assert not selects({"matchLabels": {"a": "2"}, "matchExpressions": [expression]}, {"a": "1"})


@given(st.recursive(st.none() | st.text(max_size=3), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_selector_does_harm(value: Any) -> None:
    inventory = Inventory("test", 1 << 60)
    inventory.replace([pod("a"), network_policy("odd", {"podSelector": value})], _NOW)
    touched(inventory, "NetworkPolicy", "default", "odd")
