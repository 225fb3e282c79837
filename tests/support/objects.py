"""Records of k8s.objects for tests. Times in seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.metadata.builder import DirectoryBuilder
from streams.metadata.directory import Directory

SECOND = 1_000_000_000
_BLANK: dict[str, Any] = {
    "cluster": "default", "kind": "", "api_version": "v1", "namespace": "", "name": "", "uid": "",
    "resource_version": "", "generation": 0, "created_at_ns": 0, "deleted_at_ns": None, "observed_at_ns": 0,
    "labels": {}, "annotations": {}, "owner": None, "workload": None, "node_name": "", "service_account": "",
    "host_network": False, "phase": "", "is_ready": False, "addresses": [], "pod_cidrs": [], "ports": [],
    "service_type": "", "service_name": "", "selector": {}, "endpoints": [], "spec_json": "",
    "replicas": -1, "images": [], "template": "", "restarts": -1,
}  # fmt: skip
Record = dict[str, Any]


def held(address: str, assigned: float = 0, released: float | None = None) -> Record:
    return {"address": address, "assigned_at_ns": _ns(assigned), "released_at_ns": _ns(released)}


def kubernetes_object(
    kind: str, name: str, *, observed: float = 0, created: float = 0, deleted: float | None = None, **facts: Any
) -> Record:
    unknown = set(facts) - set(_BLANK)
    assert not unknown, f"no field of KubernetesObject: {unknown}"
    times = {"observed_at_ns": _ns(observed), "created_at_ns": _ns(created), "deleted_at_ns": _ns(deleted)}
    return {**_BLANK, "kind": kind, "name": name, **times, **facts}


def pod(name: str, *addresses: str | Record, node: str = "node1", uid: str = "", **facts: Any) -> Record:
    """An address in text is held from the pod's observation on."""
    start = facts.get("observed", 0)
    holds = [held(address, start) if isinstance(address, str) else address for address in addresses]
    facts = {"namespace": "shop", "phase": "Running", **facts}
    return kubernetes_object("Pod", name, uid=uid or f"uid-{name}", node_name=node, addresses=holds, **facts)


def node(name: str, *addresses: str, networks: Sequence[str] = (), **facts: Any) -> Record:
    holds = [held(address) for address in addresses]
    return kubernetes_object("Node", name, uid=f"uid-{name}", addresses=holds, pod_cidrs=list(networks), **facts)


def namespace(name: str, labels: Mapping[str, str], **facts: Any) -> Record:
    return kubernetes_object("Namespace", name, uid=f"uid-{name}", labels=dict(labels), **facts)


def service(name: str, *addresses: str, port: int = 80, node_port: int = 0, uid: str = "", **facts: Any) -> Record:
    ports = [{"name": "", "protocol": "TCP", "port": port, "target_port": "", "node_port": node_port}]
    holds = [held(address) for address in addresses]
    facts = {"namespace": "shop", "ports": ports, **facts}
    return kubernetes_object("Service", name, uid=uid or f"uid-{name}", addresses=holds, **facts)


def endpoint_slice(name: str, of: str, *pods: str, **facts: Any) -> Record:
    endpoints = [{"addresses": [], "is_ready": True, "pod_name": pod_name, "node_name": ""} for pod_name in pods]
    facts = {"namespace": "shop", **facts}
    return kubernetes_object("EndpointSlice", name, uid=f"uid-{name}", service_name=of, endpoints=endpoints, **facts)


def key_of(record: Record) -> str:
    return f"{record['kind']}/{record['namespace']}/{record['name']}"


def deleted(record: Record, at: float) -> Record:
    return {**record, "deleted_at_ns": _ns(at), "observed_at_ns": _ns(at)}


def builder_of(*records: Record) -> DirectoryBuilder:
    builder = DirectoryBuilder()
    for record in records:
        builder.apply(key_of(record), record)
    return builder


def directory_of(*records: Record) -> Directory:
    return builder_of(*records).directory(len(records))


def _ns(seconds: float | None) -> Any:
    return None if seconds is None else int(seconds * SECOND)
