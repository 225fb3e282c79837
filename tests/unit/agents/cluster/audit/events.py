"""Audit events as an API server sends them."""

import json
from typing import Any

RECEIVED_NS = 1_767_268_800_123_456_000
AUDIT: dict[str, Any] = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "auditID": "a-1",
    "stage": "ResponseComplete",
    "requestURI": "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
    "verb": "create",
    "user": {"username": "jane", "groups": ["ops", "system:authenticated"]},
    "sourceIPs": ["192.0.2.7", "FD00::7%eth0", "nonsense"],
    "userAgent": "kubectl/v1.36",
    "objectRef": {
        "resource": "networkpolicies",
        "namespace": "shop",
        "name": "deny",
        "uid": "p-1",
        "apiGroup": "networking.k8s.io",
        "apiVersion": "v1",
    },
    "responseStatus": {"metadata": {}, "code": 201},
    "requestReceivedTimestamp": "2026-01-01T12:00:00.123456Z",
    "stageTimestamp": "2026-01-01T12:00:00.133456Z",
    "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
}


def audit_event(**changes: Any) -> dict[str, Any]:
    """One with other values."""
    return {**AUDIT, **changes}


def listed(*events: Any) -> bytes:
    """As the webhook backend posts them."""
    return json.dumps(
        {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": list(events)}
    ).encode()
