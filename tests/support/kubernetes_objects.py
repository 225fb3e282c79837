"""Builders of API objects, as the API server or kubectl shows them."""

from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
SECOND_NS = 1_000_000_000


def instant_text(at_ns: int) -> str:
    """RFC 3339 with whole seconds, as the API server writes it."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(
    name: str,
    *,
    uid: str = "",
    addresses: tuple[str, ...] = (),
    started_at_ns: int = 0,
    phase: str = "Running",
    owner: tuple[str, str] | None = None,
    labels: dict[str, str] | None = None,
    host_network: bool = False,
    node: str = "node1",
    finished_at_ns: int = 0,
) -> Object:
    """A pod; ``owner`` is kind and name of its controller."""
    status: Object = {"phase": phase}
    if addresses:
        status |= {"podIP": addresses[0], "podIPs": [{"ip": address} for address in addresses]}
    if started_at_ns:
        status["startTime"] = instant_text(started_at_ns)
    if finished_at_ns:
        ended = {"terminated": {"exitCode": 0, "finishedAt": instant_text(finished_at_ns)}}
        status["containerStatuses"] = [{"name": "main", "state": ended}]
    spec: Object = {"nodeName": node, "containers": [{"name": "main", "image": "example/image"}]}
    if host_network:
        spec["hostNetwork"] = True
    value = {**_head("v1", "Pod", name, uid, started_at_ns), "spec": spec, "status": status}
    if labels:
        value["metadata"]["labels"] = labels
    return _owned(value, owner)


def controller(
    kind: str, name: str, *, uid: str = "", owner: tuple[str, str] | None = None, api_version: str = "apps/v1"
) -> Object:
    """A ReplicaSet, Deployment, Job, …"""
    return _owned({**_head(api_version, kind, name, uid, SECOND_NS), "spec": {}}, owner)


def network_policy(name: str, spec: Object, *, uid: str = "", created_at_ns: int = SECOND_NS) -> Object:
    """A NetworkPolicy."""
    return {**_head("networking.k8s.io/v1", "NetworkPolicy", name, uid, created_at_ns), "spec": spec}


def _head(api_version: str, kind: str, name: str, uid: str, created_at_ns: int) -> Object:
    metadata: Object = {"name": name, "namespace": "default", "uid": uid or f"uid-{kind}-{name}"}
    if created_at_ns:
        metadata["creationTimestamp"] = instant_text(created_at_ns)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _owned(value: Object, owner: tuple[str, str] | None) -> Object:
    if owner is not None:
        value["metadata"]["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return value
