"""Records of what happened in the cluster, as their topics carry them, whole."""

from typing import Any

from tests.unit.streams.index.builders import AT_NS

_SECOND = 1_000_000_000
_TOUCHED = {
    "workload_kind": "Deployment",
    "workload_name": "web",
    "service_name": "",
    "workloads": ["shop/web"],
}


def kubernetes_event(**changes: Any) -> dict[str, Any]:
    """A pod that does not start."""
    return {
        "cluster": "test",
        "uid": "e1",
        "namespace": "shop",
        "kind": "Pod",
        "name": "web-1-a",
        "object_uid": "p1",
        "type": "Warning",
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "component": "kubelet",
        "node_name": "node1",
        "count": 3,
        "first_seen_at_ns": AT_NS - 5 * _SECOND,
        "last_seen_at_ns": AT_NS,
        **_TOUCHED,
        "resource_version": "7",
        **changes,
    }


def audit_event(**changes: Any) -> dict[str, Any]:
    """A policy made by a user."""
    return {
        "cluster": "test",
        "audit_id": "a1",
        "stage": "ResponseComplete",
        "verb": "create",
        "user": "jane",
        "groups": ["ops"],
        "source_addresses": ["192.0.2.7", "fd00::7"],
        "user_agent": "kubectl/v1.36",
        "api_group": "networking.k8s.io",
        "resource": "networkpolicies",
        "subresource": "",
        "namespace": "shop",
        "name": "deny",
        "object_uid": "n1",
        "status_code": 201,
        "decision": "allow",
        "received_at_ns": AT_NS,
        "kind": "NetworkPolicy",
        **_TOUCHED,
        **changes,
    }


def change(**changes: Any) -> dict[str, Any]:
    """A scaling by a user."""
    return {
        "cluster": "test",
        "id": "c1",
        "kind": "Deployment",
        "api_group": "apps",
        "namespace": "shop",
        "name": "web",
        "uid": "d1",
        **_TOUCHED,
        "action": "scaled",
        "from_value": "1 replicas",
        "to_value": "3 replicas",
        "summary": "Deployment shop/web scaled: 1 replicas → 3 replicas",
        "by": "jane",
        "by_at_ns": AT_NS - _SECOND,
        "at_ns": AT_NS,
        **changes,
    }
