"""Objects as slim records: what each kind keeps, and that no value, of whatever type, breaks anything."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.cluster.inventory import Inventory, Update
from agents.cluster.record.kind import kind_of
from agents.cluster.record.slim import finished_at, slim, started_at
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec

_NOW = 1_767_225_600_000_000_000
_MADE = "2026-01-01T00:00:00Z"
_METADATA = {"name": "x", "namespace": "shop", "uid": "u", "resourceVersion": "7", "creationTimestamp": _MADE}
_BLANK: dict[str, Any] = {
    "cluster": "test",
    "namespace": "shop",
    "name": "x",
    "uid": "u",
    "resource_version": "7",
    "generation": 0,
    "created_at_ns": _NOW,
    "deleted_at_ns": None,
    "observed_at_ns": _NOW + 5,
    "labels": {},
    "annotations": {},
    "owner": None,
    "workload": None,
    "node_name": "",
    "service_account": "",
    "host_network": False,
    "phase": "",
    "is_ready": False,
    "addresses": [],
    "pod_cidrs": [],
    "ports": [],
    "service_type": "",
    "service_name": "",
    "selector": {},
    "endpoints": [],
    "spec_json": "",
    "replicas": -1,
    "images": [],
    "template": "",
    "restarts": -1,
}


def _held(*addresses: str) -> list[dict[str, Any]]:
    return [{"address": address, "assigned_at_ns": 0, "released_at_ns": None} for address in addresses]


def _port(name: str, protocol: str, port: int, target: str = "", node: int = 0) -> dict[str, Any]:
    return {"name": name, "protocol": protocol, "port": port, "target_port": target, "node_port": node}


_READY = {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]}
_POD = {
    "spec": {
        "nodeName": "node1",
        "serviceAccountName": "web",
        "hostNetwork": True,
        "initContainers": [{"ports": [{"containerPort": 1}]}],
        "containers": [{"ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}, {}],
    },
    "status": {
        **_READY,
        "phase": "Running",
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}, {"ip": "FD00:0::1"}],
        "containerStatuses": [{"restartCount": 2}, {"restartCount": 3}, {"restartCount": -1}],
    },
}
_POD_RECORD = {
    "node_name": "node1",
    "service_account": "web",
    "host_network": True,
    "phase": "Running",
    "is_ready": True,
    "addresses": _held("10.0.0.1", "fd00::1"),
    "ports": [_port("", "TCP", 1), _port("dns", "UDP", 53)],
    "restarts": 5,
}
_NODE = {
    "spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "fd01::/64"]},
    "status": {
        **_READY,
        "addresses": [
            {"type": "InternalIP", "address": "192.0.2.1"},
            {"type": "Hostname", "address": "node1"},
            {"type": "ExternalIP", "address": "2001:db8::1"},
        ],
    },
}
_NODE_RECORD = {
    "is_ready": True,
    "addresses": _held("192.0.2.1", "2001:db8::1"),
    "pod_cidrs": ["10.1.0.0/24", "fd01::/64"],
}
_SERVICE = {
    "spec": {
        "type": "LoadBalancer",
        "selector": {"app": "web"},
        "clusterIP": "10.96.0.1",
        "clusterIPs": ["10.96.0.1", "fd00:96::1"],
        "externalIPs": ["192.0.2.9"],
        "ports": [
            {"name": "http", "port": 80, "targetPort": "web", "nodePort": 30080},
            {"port": 53, "targetPort": 5353, "protocol": "UDP"},
        ],
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}, {"hostname": "lb.example"}]}},
}
_SERVICE_RECORD = {
    "service_type": "LoadBalancer",
    "selector": {"app": "web"},
    "addresses": _held("10.96.0.1", "fd00:96::1", "192.0.2.9", "203.0.113.1"),
    "ports": [_port("http", "TCP", 80, "web", 30080), _port("", "UDP", 53, "5353")],
}
_SLICE = {
    "metadata": {"labels": {"kubernetes.io/service-name": "web"}},
    "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    "endpoints": [
        {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "web-1"}, "nodeName": "node1"},
        {"addresses": ["FD00::2", "web.example"], "conditions": {"ready": False}, "targetRef": {"kind": "Node"}},
    ],
}
_SLICE_RECORD = {
    "labels": {"kubernetes.io/service-name": "web"},
    "service_name": "web",
    "ports": [_port("http", "TCP", 8080)],
    "endpoints": [
        {"addresses": ["10.0.0.1"], "is_ready": True, "pod_name": "web-1", "node_name": "node1"},
        {"addresses": ["fd00::2", "web.example"], "is_ready": False, "pod_name": "", "node_name": ""},
    ],
}
_SELECTING = {"spec": {"selector": {"matchLabels": {"app": "web"}}}}
_SELECTED = {"selector": {"app": "web"}}
_POLICY = {"spec": {"podSelector": {}, "ingress": [], "egress": None}}
_OWNED = {
    "metadata": {
        "generation": 3,
        "annotations": {"conntrail.io/team": "shop", "other/x": "y"},
        "ownerReferences": [{"kind": "Config", "name": "c"}, {"kind": "CronJob", "name": "tidy", "controller": True}],
    }
}
_OWNED_RECORD = {
    "generation": 3,
    "annotations": {"conntrail.io/team": "shop"},
    "owner": {"kind": "CronJob", "name": "tidy"},
}


@pytest.mark.parametrize(
    ("api_version", "name", "value", "expected"),
    [
        ("v1", "Pod", _POD, _POD_RECORD),
        ("v1", "Node", _NODE, _NODE_RECORD),
        ("v1", "Service", _SERVICE, _SERVICE_RECORD),
        ("v1", "Service", {"spec": {"clusterIP": "None"}}, {"service_type": "ClusterIP"}),
        ("v1", "Namespace", {"metadata": {"labels": {"team": "shop"}}}, {"labels": {"team": "shop"}}),
        ("discovery.k8s.io/v1", "EndpointSlice", _SLICE, _SLICE_RECORD),
        ("apps/v1", "Deployment", _SELECTING, {**_SELECTED, "replicas": 1}),
        ("apps/v1", "StatefulSet", {"spec": {**_SELECTING["spec"], "replicas": 0}}, {**_SELECTED, "replicas": 0}),
        ("apps/v1", "DaemonSet", _SELECTING, _SELECTED),
        ("apps/v1", "ReplicaSet", _SELECTING, {**_SELECTED, "replicas": 1}),
        ("batch/v1", "Job", _OWNED, _OWNED_RECORD),
        ("batch/v1", "CronJob", {}, {}),
        (
            "networking.k8s.io/v1",
            "NetworkPolicy",
            _POLICY,
            {"spec_json": '{"egress":null,"ingress":[],"podSelector":{}}'},
        ),
    ],
)
def test_a_record_keeps_what_names_flows_and_nothing_else(
    api_version: str, name: str, value: dict[str, Any], expected: dict[str, Any]
) -> None:
    kind = kind_of(api_version, name)
    assert kind is not None
    whole = {**value, "metadata": {**_METADATA, **value.get("metadata", {})}}
    assert slim("test", kind, whole, _NOW + 5) == {**_BLANK, "kind": name, "api_version": api_version, **expected}


def test_a_pod_with_one_address_field_only_has_that_address() -> None:
    kind = kind_of("v1", "Pod")
    assert kind is not None
    assert slim("test", kind, {"status": {"podIP": "10.0.0.1"}}, 0)["addresses"] == _held("10.0.0.1")


def test_a_namesake_of_another_group_is_another_kind() -> None:
    assert kind_of("serving.knative.dev/v1", "Service") is None
    assert kind_of("v1", "Deployment") is None


_WHOLE = [
    ("v1", "Pod", _POD),
    ("v1", "Node", _NODE),
    ("v1", "Service", _SERVICE),
    ("discovery.k8s.io/v1", "EndpointSlice", _SLICE),
    ("apps/v1", "ReplicaSet", {**_SELECTING, **_OWNED}),
    ("networking.k8s.io/v1", "NetworkPolicy", _POLICY),
]
_HOSTILE: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.datetimes(), st.dates(), st.binary(max_size=3),
        st.text(max_size=3),
        st.sampled_from(["10.0.0.1", "fe80::1%eth0", "::ffff:1.2.3.4", _MADE, "9999-12-31", "Pod"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def _damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A whole object of which some values, anywhere, are others than they should be."""
    api_version, name, value = draw(st.sampled_from(_WHOLE))
    metadata = {**_METADATA, **value.get("metadata", {}), "labels": {"app": "web"}}
    found: dict[str, Any] = copy.deepcopy({**value, "metadata": metadata})
    for _ in range(draw(st.integers(1, 4))):
        holder: Any = found
        while True:
            place = draw(st.sampled_from(sorted(holder, key=str) if isinstance(holder, dict) else range(len(holder))))
            inner = holder[place]
            if not isinstance(inner, dict | list) or not inner or draw(st.integers(0, 3)) == 0:
                break
            holder = inner
        holder[place] = draw(_HOSTILE)
    metadata = found["metadata"] if isinstance(found["metadata"], dict) else {}
    return {**found, "apiVersion": api_version, "kind": name, "metadata": {**metadata, "name": "x"}}


_CODEC = SingleObjectCodec(read_schema("kubernetes_object"))


@settings(max_examples=150)
@given(_damaged())
def test_values_of_any_type_make_a_record_that_fits_the_schema(value: dict[str, Any]) -> None:
    inventory = Inventory("test", 10)
    changes = [*inventory.apply(value, _NOW), *inventory.replace([value], _NOW + 1), *inventory.remove(value, _NOW + 2)]
    assert changes
    for change in changes:
        assert change.record is not None
        assert _CODEC.decode(_CODEC.encode(change.record)) == change.record
    assert started_at(value) >= 0
    assert finished_at(value) >= 0


@given(_HOSTILE)
def test_what_is_no_object_is_passed_over(value: Any) -> None:
    inventory = Inventory("test", 10)
    changes: list[Update] = inventory.replace([value], _NOW) + inventory.apply(value, _NOW) + inventory.remove(value, 0)
    assert changes == []


def test_a_spec_without_end_is_cut() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    kind = kind_of("networking.k8s.io/v1", "NetworkPolicy")
    assert kind is not None
    assert slim("test", kind, {"spec": deep}, 0)["spec_json"] == "not JSON: RecursionError"
    large = slim("test", kind, {"spec": {"x": "y" * (1 << 20)}}, 0)["spec_json"]
    assert len(large) == 512 << 10
    assert len(json.dumps(large)) < 1 << 20


@pytest.mark.parametrize(
    ("stored", "labels"),
    [('{"labels": {"a": "b", "c": 1}}', {"a": "b"}), ("{", {}), ("[]", {}), ("9" * 5000, {}), ("[" * 200_000, {})],
)
def test_what_calico_stores_in_an_annotation_is_read_as_labels(stored: str, labels: dict[str, str]) -> None:
    kind = kind_of("crd.projectcalico.org/v1", "GlobalNetworkSet")
    assert kind is not None
    metadata = {"name": "partners", "annotations": {"projectcalico.org/metadata": stored}}
    made = slim("test", kind, {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}, 1)
    assert (made["labels"], made["annotations"]) == (labels, {})
