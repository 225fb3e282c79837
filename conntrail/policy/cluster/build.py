"""Records of k8s.objects, the newest of each key, as a snapshot of the cluster."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from conntrail.policy.cluster.snapshot import Backend, Node, Pod, Record, Service, ServicePort, Snapshot, living
from streams.metadata.pod import endpoint_of
from streams.policy.compile import compile_object
from streams.policy.object import PolicyObject
from streams.policy.policy_set import PolicySet, policy_set
from streams.policy.record import policy_of

_TERMINAL: Final = ("Succeeded", "Failed")
_NAME_LABEL: Final = "kubernetes.io/metadata.name"
_SERVICE_LABEL: Final = "kubernetes.io/service-name"


def build_snapshot(records: Iterable[Record], notes: tuple[str, ...] = ()) -> Snapshot:
    """Records of any order, one a key; those of deleted objects are passed over."""
    alive = living(records)
    by_kind: dict[str, list[Record]] = {}
    for record in sorted(alive, key=lambda record: (record["namespace"], record["name"])):
        by_kind.setdefault(record["kind"], []).append(record)
    namespaces = {
        record["name"]: {_NAME_LABEL: record["name"], **record["labels"]} for record in by_kind.get("Namespace", ())
    }
    slices = _slices(by_kind.get("EndpointSlice", ()))
    members = _members(slices)
    pods = {
        pod.key: pod
        for record in by_kind.get("Pod", ())
        if record["phase"] not in _TERMINAL
        for pod in (_pod(record, namespaces, members),)
    }
    objects = (
        *(found for record in alive if (found := policy_of(record)) is not None),
        *(_slice_object(record) for record in by_kind.get("EndpointSlice", ())),
    )
    services = [_service(record, slices, pods) for record in by_kind.get("Service", ())]
    return Snapshot(
        pods=pods,
        nodes={record["name"]: _node(record) for record in by_kind.get("Node", ())},
        namespaces=namespaces,
        services={service.key: service for service in services},
        policies=policies_of(objects),
        objects=objects,
        observed_at_ns=max((record["observed_at_ns"] for record in alive), default=0),
        notes=notes,
    )


def policies_of(objects: Iterable[PolicyObject]) -> PolicySet:
    """Compile policies and what they refer to, and order them."""
    return policy_set(compile_object(item) for item in objects)


def _slice_object(record: Record) -> PolicyObject:
    """Policies may refer to a Service, which its EndpointSlices tell of."""
    return PolicyObject(
        api_version=record["api_version"],
        kind=record["kind"],
        namespace=record["namespace"],
        name=record["name"],
        uid=record["uid"],
        spec={"endpoints": record["endpoints"], "ports": record["ports"]},
        observed_at_ns=record["observed_at_ns"],
        labels={_SERVICE_LABEL: record["service_name"]},
    )


def _pod(record: Record, namespaces: Mapping[str, Mapping[str, str]], members: Mapping[str, tuple[str, ...]]) -> Pod:
    namespace = record["namespace"]
    endpoint = replace(
        endpoint_of(record),
        namespace_labels=namespaces.get(namespace, {_NAME_LABEL: namespace}),
        service_account=record["service_account"] or "default",
        addresses=_held(record),
        services=members.get(f"{namespace}/{record['name']}", ()),
    )
    return Pod(endpoint, record["is_ready"], record["phase"])


def _node(record: Record) -> Node:
    return Node(replace(endpoint_of(record), addresses=_held(record)), record["is_ready"])


def _held(record: Record) -> tuple[str, ...]:
    """Addresses that are held now."""
    return tuple(entry["address"] for entry in record["addresses"] if entry["released_at_ns"] is None)


def _slices(records: Iterable[Record]) -> Mapping[str, list[Backend]]:
    """Backends by ``namespace/name`` of the Service."""
    found: dict[str, list[Backend]] = {}
    for record in records:
        namespace = record["namespace"]
        found.setdefault(f"{namespace}/{record['service_name']}", []).extend(
            Backend(
                tuple(endpoint["addresses"]),
                f"{namespace}/{endpoint['pod_name']}" if endpoint["pod_name"] else "",
                endpoint["is_ready"],
            )
            for endpoint in record["endpoints"]
        )
    return found


def _members(slices: Mapping[str, list[Backend]]) -> Mapping[str, tuple[str, ...]]:
    """Names of the Services that lead to each pod."""
    found: dict[str, set[str]] = {}
    for service, backends in slices.items():
        for backend in backends:
            found.setdefault(backend.pod, set()).add(service.partition("/")[2])
    return {pod: tuple(sorted(names)) for pod, names in found.items() if pod}


def _service(record: Record, slices: Mapping[str, list[Backend]], pods: Mapping[str, Pod]) -> Service:
    key = f"{record['namespace']}/{record['name']}"
    backends = slices.get(key)
    is_guessed = backends is None and bool(record["selector"])
    if is_guessed:
        backends = [
            Backend(pod.endpoint.addresses, pod.key, pod.is_ready)
            for pod in pods.values()
            if pod.endpoint.namespace == record["namespace"]
            and record["selector"].items() <= pod.endpoint.labels.items()
        ]
    return Service(
        namespace=record["namespace"],
        name=record["name"],
        kind=record["service_type"],
        addresses=_held(record),
        ports=tuple(_service_port(port) for port in record["ports"]),
        selector=record["selector"],
        backends=tuple(backends or ()),
        is_guessed=is_guessed,
    )


def _service_port(port: Mapping[str, Any]) -> ServicePort:
    return ServicePort(port["name"], port["protocol"], port["port"], port["target_port"], port["node_port"])
