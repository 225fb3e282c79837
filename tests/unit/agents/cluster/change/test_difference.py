"""Differences of two states: what is told, and what is not since nobody knows the state before."""

from typing import Any

import pytest

from agents.cluster.change.difference import Difference, differences
from tests.support.objects import kubernetes_object

_ENDPOINT = {"addresses": ["10.0.0.1"], "is_ready": True, "pod_name": "a", "node_name": "n"}
_SILENT = {**_ENDPOINT, "is_ready": False}
_MADE = {"kind": "Deployment", "name": "web"}


def _state(kind: str, **facts: Any) -> dict[str, Any]:
    return kubernetes_object(kind, "x", **{"uid": "u", **facts})


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("Deployment", {"replicas": 2}, {"replicas": 5}, Difference("scaled", "2 replicas", "5 replicas")),
        ("StatefulSet", {"replicas": 2}, {"replicas": 0}, Difference("scaled", "2 replicas", "0 replicas")),
        (
            "Deployment",
            {"template": "a", "images": ["x:1"], "generation": 1},
            {"template": "b", "images": ["x:2", "y"], "generation": 2},
            Difference("rolled_out", "x:1", "x:2, y"),
        ),
        (
            "DaemonSet",
            {"template": "a", "images": ["x:1"]},
            {"template": "b", "images": ["x:1"]},
            Difference("rolled_out", "template a", "template b"),
        ),
        ("CronJob", {"template": "a"}, {"template": "b"}, Difference("changed", "template a", "template b")),
        (
            "EndpointSlice",
            {"endpoints": [_ENDPOINT, _SILENT]},
            {"endpoints": [_SILENT, _SILENT]},
            Difference("unready", "1 of 2 ready", "0 of 2 ready"),
        ),
        (
            "EndpointSlice",
            {"endpoints": []},
            {"endpoints": [_ENDPOINT]},
            Difference("ready", "0 of 0 ready", "1 of 1 ready"),
        ),
        ("Node", {"is_ready": True}, {"is_ready": False}, Difference("unready", "ready", "not ready")),
        ("Node", {"is_ready": False}, {"is_ready": True}, Difference("ready", "not ready", "ready")),
        ("Pod", {"restarts": 0}, {"restarts": 2}, Difference("restarted", "0 restarts", "2 restarts")),
        ("NetworkPolicy", {"spec_json": "1"}, {"spec_json": "2"}, Difference("changed", "1", "2")),
        (
            "NetworkPolicy",
            {"spec_json": "1", "annotations": {"conntrail.io/staged": "true"}},
            {"spec_json": "1"},
            Difference("changed", "conntrail.io/staged=true 1", "1"),
        ),
        (
            "Service",
            {"service_type": "ClusterIP", "selector": {"a": "b"}},
            {"service_type": "ClusterIP", "selector": {"a": "c"}},
            Difference("changed", "ClusterIP [a=b] ", "ClusterIP [a=c] "),
        ),
    ],
)
def test_what_became_different_is_told(
    kind: str, before: dict[str, Any], after: dict[str, Any], expected: Difference
) -> None:
    states = _state(kind, **before), _state(kind, **after)
    assert differences(*states, is_new=False) == [expected]
    assert differences(states[1], states[1], is_new=False) == []


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        # An older release did not tell these.
        ("Deployment", {"replicas": -1}, {"replicas": 5}),
        ("Deployment", {"template": ""}, {"template": "b"}),
        ("Pod", {"restarts": -1}, {"restarts": 5}),
        # Defaults of a newer API server.
        ("Deployment", {"template": "a", "generation": 3}, {"template": "b", "generation": 3}),
        ("NetworkPolicy", {"spec_json": "1", "generation": 3}, {"spec_json": "2", "generation": 3}),
        # Its Deployment says it.
        ("ReplicaSet", {"replicas": 1, "owner": _MADE}, {"replicas": 2, "owner": _MADE}),
        ("Pod", {"phase": "Pending"}, {"phase": "Running", "is_ready": True}),
        ("ServiceAccount", {}, {"labels": {"a": "b"}}),
    ],
)
def test_what_is_not_known_or_said_elsewhere_is_not_told(
    kind: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert differences(_state(kind, **before), _state(kind, **after), is_new=False) == []


@pytest.mark.parametrize("kind", ["Deployment", "NetworkPolicy", "Service", "Node", "Namespace", "Pod"])
def test_an_object_comes_and_goes(kind: str) -> None:
    alive, gone = _state(kind), _state(kind, deleted_at_ns=5)
    other = _state(kind, uid="v")
    assert [one.action for one in differences(None, alive, is_new=True)] == ["created"]
    assert differences(None, alive, is_new=False) == []
    assert [one.action for one in differences(gone, other, is_new=False)] == ["created"]
    assert [one.action for one in differences(alive, other, is_new=False)] == ["deleted", "created"]
    assert [one.action for one in differences(alive, gone, is_new=False)] == ["deleted"]
    assert differences(gone, gone, is_new=False) == []


def test_a_deployment_of_an_operator_is_told_and_a_pod_of_a_workload_is_not() -> None:
    deployment = _state("Deployment", owner={"kind": "Database", "name": "main"})
    pod = _state("Pod", owner={"kind": "ReplicaSet", "name": "web-1"})
    assert [one.action for one in differences(None, deployment, is_new=True)] == ["created"]
    assert differences(None, pod, is_new=True) == []


def test_a_slice_that_goes_takes_its_endpoints() -> None:
    alive = _state("EndpointSlice", endpoints=[_ENDPOINT])
    gone = _state("EndpointSlice", endpoints=[_ENDPOINT], deleted_at_ns=5)
    assert differences(alive, gone, is_new=False) == [Difference("unready", "1 of 1 ready", "0 of 0 ready")]


def test_values_are_cut() -> None:
    large = [_state("NetworkPolicy", spec_json=letter * 5000) for letter in "ab"]
    (one,) = differences(*large, is_new=False)
    assert (len(one.from_value), len(one.to_value)) == (1024, 1024)


@pytest.mark.parametrize("place", [0, 500, 1500, 4000, 7999])
def test_of_long_values_what_became_different_is_told(place: int) -> None:
    words = "".join(f"{number:08}" for number in range(1000))
    other = f"{words[:place]}!{words[place + 1 :]}"
    (one,) = differences(
        _state("NetworkPolicy", spec_json=words), _state("NetworkPolicy", spec_json=other), is_new=False
    )
    assert one.from_value != one.to_value
    assert max(len(one.from_value), len(one.to_value)) <= 1024
    assert one.from_value.strip("…") in words
    assert one.to_value.strip("…") in other


def test_a_long_value_that_only_grows_at_its_end_is_told_with_what_came() -> None:
    words = "x" * 5000
    (one,) = differences(
        _state("NetworkPolicy", spec_json=words), _state("NetworkPolicy", spec_json=words + "y"), is_new=False
    )
    assert (one.from_value.endswith("x"), one.to_value.endswith("xy")) == (True, True)
