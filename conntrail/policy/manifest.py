"""Kubernetes objects as a user writes them, turned into what the evaluator asks for: pods and policies.

What the API server would fill in is filled in here: the name label of a namespace, TCP for a port's protocol.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conntrail.errors import CommandError
from streams.metadata.endpoint import ContainerPort, Endpoint
from streams.policy.compile import compile_object, is_policy, is_referent
from streams.policy.network import Address, parse_address
from streams.policy.object import PolicyObject
from streams.policy.policy_set import PolicySet, policy_set

Manifest = Mapping[str, object]
_CLUSTER_WIDE = frozenset({"Namespace", "Tier", "HostEndpoint"})
_NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Cluster:
    """All that a question may refer to."""

    pods: Mapping[str, Endpoint]
    """By ``namespace/name``."""
    nodes: Mapping[Address, Endpoint]
    policies: PolicySet


def build_cluster(manifests: Iterable[Manifest]) -> Cluster:
    """Sort the objects by what they are; of one name the last counts, other kinds are passed over."""
    objects = [(str(item.get("apiVersion") or ""), str(item.get("kind") or ""), item) for item in manifests]
    namespaces = {
        _metadata(item, "name"): _labels(item)
        for version, kind, item in objects
        if (version, kind) == ("v1", "Namespace")
    }
    pods = [_pod(item, namespaces) for version, kind, item in objects if (version, kind) == ("v1", "Pod")]
    nodes = [_node(item) for version, kind, item in objects if (version, kind) == ("v1", "Node")]
    sources = [
        _source(item) for version, kind, item in objects if is_policy(version, kind) or is_referent(version, kind)
    ]
    named = {(source.group, source.kind, source.namespace, source.name): source for source in sources}
    return Cluster(
        pods={f"{pod.namespace}/{pod.name}": pod for pod in pods},
        nodes={address: node for node in nodes for address in addresses_of(node)},
        policies=policy_set(compile_object(source) for source in named.values()),
    )


def addresses_of(endpoint: Endpoint) -> list[Address]:
    """Its addresses, those that are none left out."""
    return [address for text in endpoint.addresses if (address := parse_address(text)) is not None]


def _source(manifest: Manifest) -> PolicyObject:
    annotations = _mapping(_mapping(manifest.get("metadata")).get("annotations"))
    kind = str(manifest["kind"])
    is_cluster_wide = kind in _CLUSTER_WIDE or "Global" in kind or "Cluster" in kind or "Admin" in kind
    return PolicyObject(
        api_version=str(manifest["apiVersion"]),
        kind=kind,
        namespace="" if is_cluster_wide else _metadata(manifest, "namespace") or "default",
        name=_metadata(manifest, "name"),
        uid=_metadata(manifest, "uid"),
        spec=manifest if kind == "EndpointSlice" else manifest.get("spec"),
        annotations={str(key): str(value) for key, value in annotations.items()},
        labels=_labels(manifest),
    )


def _pod(manifest: Manifest, namespaces: Mapping[str, Mapping[str, str]]) -> Endpoint:
    spec, status = _mapping(manifest.get("spec")), _mapping(manifest.get("status"))
    namespace = _metadata(manifest, "namespace") or "default"
    addresses = [_mapping(item).get("ip") for item in _sequence(status.get("podIPs"))] or [status.get("podIP")]
    return Endpoint(
        kind="pod",
        name=_metadata(manifest, "name"),
        uid=_metadata(manifest, "uid"),
        namespace=namespace,
        namespace_labels={_NAME_LABEL: namespace, **namespaces.get(namespace, {})},
        labels=_labels(manifest),
        node_name=str(spec.get("nodeName") or ""),
        service_account=str(spec.get("serviceAccountName") or "default"),
        host_network=spec.get("hostNetwork") is True,
        addresses=tuple(str(address) for address in addresses if address),
        ports=tuple(_ports(spec)),
    )


def _node(manifest: Manifest) -> Endpoint:
    addresses = [_mapping(item) for item in _sequence(_mapping(manifest.get("status")).get("addresses"))]
    return Endpoint(
        kind="node",
        name=_metadata(manifest, "name"),
        uid=_metadata(manifest, "uid"),
        labels=_labels(manifest),
        addresses=tuple(str(item.get("address")) for item in addresses if str(item.get("type")).endswith("IP")),
    )


def _ports(spec: Mapping[str, object]) -> Iterable[ContainerPort]:
    """Ports of containers, and of init containers that stay (sidecars)."""
    containers = [_mapping(item) for item in _sequence(spec.get("containers"))]
    initial = [_mapping(item) for item in _sequence(spec.get("initContainers"))]
    for container in [*containers, *(item for item in initial if item.get("restartPolicy") == "Always")]:
        for port in map(_mapping, _sequence(container.get("ports"))):
            number = port.get("containerPort")
            if isinstance(number, int):
                yield ContainerPort(str(port.get("name") or ""), str(port.get("protocol") or "TCP"), number)


def _metadata(manifest: Manifest, name: str) -> str:
    return str(_mapping(manifest.get("metadata")).get(name) or "")


def _labels(manifest: Manifest) -> Mapping[str, str]:
    labels = _mapping(_mapping(manifest.get("metadata")).get("labels"))
    return {str(key): "" if value is None else str(value) for key, value in labels.items()}


def _mapping(raw: object) -> Mapping[str, object]:
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise CommandError(f"an object is malformed: expected a mapping, got {raw!r:.60}")
    return raw


def _sequence(raw: object) -> Sequence[object]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise CommandError(f"an object is malformed: expected a list, got {raw!r:.60}")
    return raw
