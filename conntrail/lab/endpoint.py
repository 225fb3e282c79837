"""EndpointSlices of services, as the endpoint slice controller makes them. Pure."""

from collections.abc import Iterator
from typing import Any

from conntrail.lab.cluster import Cluster, Object, Pod, Service
from conntrail.lab.identity import letters, metadata_of, uid_of


def endpoint_slices(cluster: Cluster, service: Service) -> Iterator[Object]:
    """One for each family; pods whose ports have other numbers are in slices of their own, as the API asks for."""
    for numbers, pods in _grouped(cluster, service).items():
        ports = [
            {"name": str(port.get("name", "")), "protocol": str(port.get("protocol", "TCP")), "port": number}
            for port, number in zip(service.ports, numbers, strict=True)
            if number
        ]
        for version, family in enumerate(("IPv4", "IPv6")):
            yield {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "addressType": family,
                "metadata": _metadata(cluster, service, f"{family}{numbers}"),
                "endpoints": [_endpoint(pod, version) for pod in pods],
                "ports": ports,
            }


def _metadata(cluster: Cluster, service: Service, seed: str) -> Object:
    owner: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "name": service.name,
        "uid": uid_of("Service", service.namespace, service.name),
        "controller": True,
    }
    return metadata_of(
        cluster.created_at,
        "EndpointSlice",
        service.namespace,
        f"{service.name}-{letters(service.name + seed, 5)}",
        labels={"kubernetes.io/service-name": service.name},
        ownerReferences=[owner],
    )


def _grouped(cluster: Cluster, service: Service) -> dict[tuple[int, ...], list[Pod]]:
    """Pods by the numbers that the service's ports have there; 0 where a pod lacks the port."""
    numbers: dict[str, list[int]] = {}
    pods: dict[str, Pod] = {}
    for position, port in enumerate(service.ports):
        for pod, number in cluster.endpoints(service, port):
            pods[pod.name] = pod
            numbers.setdefault(pod.name, [0] * len(service.ports))[position] = number
    found: dict[tuple[int, ...], list[Pod]] = {}
    for name, of_pod in numbers.items():
        found.setdefault(tuple(of_pod), []).append(pods[name])
    return found


def _endpoint(pod: Pod, version: int) -> Object:
    return {
        "addresses": [pod.addresses[version]],
        "conditions": {"ready": pod.status.is_ready, "serving": pod.status.is_ready, "terminating": False},
        "nodeName": pod.node.name,
        "targetRef": {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid},
    }
