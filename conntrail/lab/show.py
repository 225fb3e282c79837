"""The lab's cluster as `kubectl get -A -o yaml` would print it: with status, owners and addresses."""

from typing import Any, Final

from conntrail.lab.cluster import Cluster, Node, Object, Pod, Service, uid_of

_SHOWN_AS_GIVEN: Final = ("Namespace", "NetworkPolicy", "Deployment")


def shown(cluster: Cluster) -> list[Object]:
    """Every object, owners first."""
    found = [_given(cluster, value) for value in cluster.given if value.get("kind") in _SHOWN_AS_GIVEN]
    found += [_node(cluster, node) for node in cluster.nodes]
    found += _owners(cluster)
    found += [_pod(pod) for pod in cluster.pods]
    for service in cluster.services:
        found += [_service(cluster, service), *_endpoint_slices(cluster, service)]
    return found


def _metadata(cluster: Cluster, kind: str, namespace: str, name: str, **extra: Any) -> Object:
    return {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        "uid": uid_of(kind, namespace, name),
        "creationTimestamp": cluster.created_at,
        **extra,
    }


def _given(cluster: Cluster, value: Object) -> Object:
    given = value["metadata"]
    base = _metadata(cluster, value["kind"], given.get("namespace", ""), given["name"])
    labels = cluster.namespace_labels(given["name"]) if value["kind"] == "Namespace" else given.get("labels", {})
    return {**value, "metadata": {**base, **given, "labels": labels}}


def _node(cluster: Cluster, node: Node) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": _metadata(cluster, "Node", "", node.name, labels={"kubernetes.io/hostname": node.name}),
        "spec": {"podCIDR": node.pod_networks[0], "podCIDRs": list(node.pod_networks)},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address} for address in node.addresses],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def _owners(cluster: Cluster) -> list[Object]:
    """ReplicaSets and Jobs of the pods there are."""
    found = {}
    for pod in cluster.pods:
        if pod.owner is None:
            continue
        kind, name = pod.owner
        owner = _reference(*pod.workload, pod.namespace) if kind == "ReplicaSet" else None
        found[kind, pod.namespace, name] = {
            "apiVersion": "apps/v1" if kind == "ReplicaSet" else "batch/v1",
            "kind": kind,
            "metadata": _metadata(
                cluster, kind, pod.namespace, name, **({"ownerReferences": [owner]} if owner else {})
            ),
            "spec": {},
        }
    return list(found.values())


def _reference(kind: str, name: str, namespace: str) -> Object:
    version = {"Job": "batch/v1"}.get(kind, "apps/v1")
    return {"apiVersion": version, "kind": kind, "name": name, "uid": uid_of(kind, namespace, name), "controller": True}


def _pod(pod: Pod) -> Object:
    owners = [_reference(*pod.owner, pod.namespace)] if pod.owner else []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod.name,
            "namespace": pod.namespace,
            "uid": pod.uid,
            "creationTimestamp": pod.created_at,
            "labels": dict(pod.labels),
            "ownerReferences": owners,
        },
        "spec": {
            "nodeName": pod.node.name,
            "serviceAccountName": "default",
            "containers": [{"name": "app", "ports": [dict(port) for port in pod.ports]}],
        },
        "status": {
            "phase": "Running",
            "hostIP": pod.node.addresses[0],
            "podIP": pod.addresses[0],
            "podIPs": [{"ip": address} for address in pod.addresses],
            "startTime": pod.created_at,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def _service(cluster: Cluster, service: Service) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(cluster, "Service", service.namespace, service.name),
        "spec": {
            "type": "ClusterIP",
            "selector": dict(service.selector),
            "clusterIP": service.addresses[0],
            "clusterIPs": list(service.addresses),
            "ipFamilies": ["IPv4", "IPv6"],
            "ports": [dict(port) for port in service.ports],
        },
    }


def _endpoint_slices(cluster: Cluster, service: Service) -> list[Object]:
    """One for each family; pods whose ports have other numbers are in slices of their own, as the API asks for."""
    found: list[Object] = []
    for version, family in enumerate(("IPv4", "IPv6")):
        groups: dict[tuple[tuple[str, str, int], ...], list[Pod]] = {}
        for pod in {p.name: p for port in service.ports for p in cluster.endpoints(service, port)}.values():
            groups.setdefault(_resolved_ports(service, pod), []).append(pod)
        for number, (ports, pods) in enumerate(groups.items()):
            name = f"{service.name}-{family.lower()}-{number}"
            labels = {"kubernetes.io/service-name": service.name}
            found.append(
                {
                    "apiVersion": "discovery.k8s.io/v1",
                    "kind": "EndpointSlice",
                    "addressType": family,
                    "metadata": _metadata(cluster, "EndpointSlice", service.namespace, name, labels=labels),
                    "endpoints": [_endpoint(pod, version) for pod in pods],
                    "ports": [{"name": name, "protocol": protocol, "port": number} for name, protocol, number in ports],
                }
            )
    return found


def _resolved_ports(service: Service, pod: Pod) -> tuple[tuple[str, str, int], ...]:
    """Name, protocol and number in the pod; a port that the pod does not have is left out."""
    found = []
    for port in service.ports:
        protocol = port.get("protocol", "TCP")
        number = pod.port_named(port.get("targetPort", port["port"]), protocol)
        if number is not None:
            found.append((str(port.get("name", "")), str(protocol), number))
    return tuple(found)


def _endpoint(pod: Pod, version: int) -> Object:
    return {
        "addresses": [pod.addresses[version]],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": pod.node.name,
        "targetRef": {"kind": "Pod", "name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
    }
