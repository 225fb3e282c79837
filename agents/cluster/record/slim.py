"""API objects as KubernetesObject records (schemas/avro/kubernetes_object.avsc): what names flows and judges them.

Pure. Times of addresses and owners are added where the whole inventory is known.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from agents.cluster.record.kind import Kind
from agents.cluster.record.value import canonical, instant, items, labels, mapping, number, text, texts

Record = dict[str, Any]
Object = Mapping[str, Any]
_ANNOTATION_PREFIX: Final = "conntrail.io/"
_CALICO_METADATA: Final = "projectcalico.org/metadata"
_MAXIMUM_SPEC_BYTES: Final = 512 << 10
"""Half of what a topic takes by default; the API server stores 1.5 MiB at most."""
UNKNOWN: Final = -1
"""Of a count."""
_MAXIMUM_IMAGES: Final = 32
_TERMINAL: Final = ("Succeeded", "Failed")
_NS_PER_SECOND: Final = 1_000_000_000


def key_of(title: str, namespace: str, name: str) -> str:
    """Kafka key. ``title``: of the kind."""
    return f"{title}/{namespace}/{name}"


def title_of(key: str) -> str:
    """The title of the kind that a key names."""
    return key.partition("/")[0]


def slim(cluster: str, kind: Kind, value: Object, observed_at_ns: int) -> Record:
    """The record of an object, without owner chain and without the times of its addresses."""
    metadata = mapping(value, "metadata")
    annotations = labels(metadata, "annotations")
    record: Record = {
        "cluster": cluster,
        "kind": kind.name,
        # The evaluator tells the versions of an extension apart.
        "api_version": text(value, "apiVersion") if kind.is_extension else kind.api_version,
        "namespace": text(metadata, "namespace"),
        "name": text(metadata, "name"),
        "uid": text(metadata, "uid"),
        "resource_version": text(metadata, "resourceVersion"),
        "generation": number(metadata, "generation"),
        "created_at_ns": instant(metadata, "creationTimestamp"),
        "deleted_at_ns": None,
        "observed_at_ns": observed_at_ns,
        "labels": labels(metadata, "labels") or _stored_labels(metadata),
        "annotations": {key: item for key, item in annotations.items() if key.startswith(_ANNOTATION_PREFIX)},
        "owner": owner_of(metadata),
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
        "spec_json": _spec(value) if kind.has_spec else "",
        "replicas": UNKNOWN,
        "images": [],
        "template": "",
        "restarts": UNKNOWN,
    }
    details = _DETAILS.get(kind.name)
    return {**record, **details(value)} if details else record


def _stored_labels(metadata: Object) -> dict[str, str]:
    """Calico keeps what its own API shows as labels in an annotation, where the API server stores its objects."""
    stored = mapping(metadata, "annotations").get(_CALICO_METADATA)
    if not isinstance(stored, str) or len(stored) > _MAXIMUM_SPEC_BYTES:
        return {}
    try:
        return labels(json.loads(stored), "labels")
    except (ValueError, RecursionError):
        return {}


def owner_of(metadata: Object) -> Record | None:
    """The controller among the owners."""
    for owner in items(metadata, "ownerReferences"):
        if owner.get("controller") is True:
            return {"kind": text(owner, "kind"), "name": text(owner, "name")}
    return None


def holds_addresses(record: Record) -> bool:
    """A pod that has ended holds no address any more, though its object stays."""
    return record["deleted_at_ns"] is None and record["phase"] not in _TERMINAL


def started_at(value: Object) -> int:
    """The earliest instant at which a pod can have had an address, Unix time in ns."""
    return max(instant(value, "metadata", "creationTimestamp"), instant(value, "status", "startTime"))


def finished_at(value: Object) -> int:
    """The latest instant at which a pod's containers can have ended, Unix time in ns; 0 while it is not known.

    finishedAt has whole seconds, cut off.
    """
    status = mapping(value, "status")
    states = [
        mapping(container, "state", "terminated")
        for name in ("initContainerStatuses", "containerStatuses")
        for container in items(status, name)
    ]
    instants = [instant(state, "finishedAt") for state in states]
    if not instants or 0 in instants:
        return 0
    return max(at + (0 if at % _NS_PER_SECOND else _NS_PER_SECOND) for at in instants)


def _pod(value: Object) -> Record:
    spec, status = mapping(value, "spec"), mapping(value, "status")
    addresses = [text(item, "ip") for item in items(status, "podIPs")] or [text(status, "podIP")]
    containers = [*items(spec, "initContainers"), *items(spec, "containers")]
    return {
        "node_name": text(spec, "nodeName"),
        "service_account": text(spec, "serviceAccountName"),
        "host_network": spec.get("hostNetwork") is True,
        "phase": text(status, "phase"),
        "is_ready": _is_ready(status),
        "addresses": _held(addresses),
        "ports": [_container_port(port) for container in containers for port in items(container, "ports")],
        "restarts": sum(number(one, "restartCount") for one in items(status, "containerStatuses")),
    }


def _node(value: Object) -> Record:
    spec, status = mapping(value, "spec"), mapping(value, "status")
    networks = texts(spec.get("podCIDRs")) or [text(spec, "podCIDR")]
    addresses = [text(item, "address") for item in items(status, "addresses") if text(item, "type").endswith("IP")]
    return {
        "is_ready": _is_ready(status),
        "addresses": _held(addresses),
        "pod_cidrs": [network for network in networks if network],
    }


def _service(value: Object) -> Record:
    spec = mapping(value, "spec")
    ingress = [text(item, "ip") for item in items(value, "status", "loadBalancer", "ingress")]
    cluster = texts(spec.get("clusterIPs")) or [text(spec, "clusterIP")]
    return {
        "service_type": text(spec, "type") or "ClusterIP",
        "selector": labels(spec, "selector"),
        "addresses": _held([*cluster, *texts(spec.get("externalIPs")), *ingress]),
        "ports": [_service_port(port) for port in items(spec, "ports")],
    }


def _endpoint_slice(value: Object) -> Record:
    return {
        "service_name": text(value, "metadata", "labels", "kubernetes.io/service-name"),
        "ports": [
            {
                "name": text(port, "name"),
                "protocol": text(port, "protocol") or "TCP",
                "port": number(port, "port"),
                "target_port": "",
                "node_port": 0,
            }
            for port in items(value, "ports")
        ],
        "endpoints": [
            {
                "addresses": [canonical(address) or address for address in texts(endpoint.get("addresses"))],
                "is_ready": mapping(endpoint, "conditions").get("ready") is not False,
                "pod_name": text(endpoint, "targetRef", "name") if text(endpoint, "targetRef", "kind") == "Pod" else "",
                "node_name": text(endpoint, "nodeName"),
            }
            for endpoint in items(value, "endpoints")
        ],
    }


def _running(value: Object) -> Record:
    """What runs pods."""
    template = mapping(value, "spec", "template")
    return {
        "selector": labels(value, "spec", "selector", "matchLabels"),
        "images": _images(template),
        "template": _digest(template),
    }


def _scaling(value: Object) -> Record:
    spec = mapping(value, "spec")
    return {**_running(value), "replicas": number(spec, "replicas") if "replicas" in spec else 1}


def _cron_job(value: Object) -> Record:
    spec = mapping(value, "spec")
    return {"images": _images(mapping(spec, "jobTemplate", "spec", "template")), "template": _digest(spec)}


def _images(template: Object) -> list[str]:
    containers = [*items(template, "spec", "initContainers"), *items(template, "spec", "containers")]
    return [text(container, "image") for container in containers[:_MAXIMUM_IMAGES]]


def _digest(value: Object) -> str:
    """Of JSON that does not depend on the order of keys; empty for an empty one."""
    if not value:
        return ""
    try:
        told = json.dumps(value, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        told = type(error).__name__
    return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=8).hexdigest()


_DETAILS: Final = {
    "Pod": _pod,
    "Node": _node,
    "Service": _service,
    "EndpointSlice": _endpoint_slice,
    "Deployment": _scaling,
    "StatefulSet": _scaling,
    "ReplicaSet": _scaling,
    "DaemonSet": _running,
    "CronJob": _cron_job,
}


def _held(addresses: list[str]) -> list[Record]:
    """In canonical text, each once; a headless Service's None and other words are none."""
    named = dict.fromkeys(canonical(address) for address in addresses)
    return [{"address": address, "assigned_at_ns": 0, "released_at_ns": None} for address in named if address]


def _container_port(port: Object) -> Record:
    return {
        "name": text(port, "name"),
        "protocol": text(port, "protocol") or "TCP",
        "port": number(port, "containerPort"),
        "target_port": "",
        "node_port": 0,
    }


def _service_port(port: Object) -> Record:
    target = port.get("targetPort")
    return {
        "name": text(port, "name"),
        "protocol": text(port, "protocol") or "TCP",
        "port": number(port, "port"),
        "target_port": str(target)[:64] if isinstance(target, int | str) else "",
        "node_port": number(port, "nodePort"),
    }


def _is_ready(status: Object) -> bool:
    return any(text(item, "type") == "Ready" and item.get("status") == "True" for item in items(status, "conditions"))


def _spec(value: Object) -> str:
    """The whole spec, as JSON that does not depend on the order of keys; a monstrous one is cut and so no JSON."""
    try:
        spec = json.dumps(value.get("spec"), sort_keys=True, separators=(",", ":"), default=str)
    except (TypeError, ValueError, RecursionError) as error:
        return f"not JSON: {type(error).__name__}"
    return spec[:_MAXIMUM_SPEC_BYTES]
