"""The lab's cluster as `kubectl get -A -o yaml` would print it: with status, owners, addresses and endpoints."""

from typing import Any, Final

from conntrail.lab.cluster import Cluster, Controller, Node, Object, Pod, Service
from conntrail.lab.endpoint import endpoint_slices
from conntrail.lab.identity import metadata_of, uid_of
from conntrail.lab.kind import POLICY_KINDS, qualified_kind
from conntrail.lab.workload import is_made_by_another, names_of

_SHOWN_AS_GIVEN: Final = (
    *POLICY_KINDS,
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "ReplicaSet",
    "ReplicationController",
    "Job",
)
_GIVEN_FIELDS: Final = ("labels", "annotations", "ownerReferences")
_CHANGED_FIELDS: Final = ("creationTimestamp", "uid", "generation")
"""Of objects that come and go while the lab runs: when they came is theirs to tell."""
"""Of the metadata; what else a running cluster wrote there is another cluster's."""


def shown(cluster: Cluster) -> list[Object]:
    """Every object, owners first."""
    names = names_of(cluster.given)
    found = [_namespace(cluster, name) for name in cluster.namespaces]
    found += [_node(cluster, node) for node in cluster.nodes]
    for kind in _SHOWN_AS_GIVEN:
        values = [value for value in cluster.of_kind(kind) if not is_made_by_another(value, names)]
        found += [_given(cluster, value) for value in values]
    found += _made_owners(cluster)
    found += [_pod(pod) for pod in cluster.pods]
    for service in cluster.services:
        found += [_service(cluster, service), *endpoint_slices(cluster, service)]
    return found


def _given(cluster: Cluster, value: Object) -> Object:
    given, kind = value["metadata"], qualified_kind(value["apiVersion"], value["kind"])
    fields = [*_GIVEN_FIELDS, *(_CHANGED_FIELDS if kind in POLICY_KINDS else ())]
    kept = {field: given[field] for field in fields if field in given}
    metadata = metadata_of(cluster.created_at, kind, given.get("namespace", ""), given["name"])
    return {**{key: item for key, item in value.items() if key != "status"}, "metadata": {**metadata, **kept}}


def _namespace(cluster: Cluster, name: str) -> Object:
    metadata = metadata_of(cluster.created_at, "Namespace", "", name, labels=cluster.namespace_labels(name))
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "status": {"phase": "Active"}}


def _node(cluster: Cluster, node: Node) -> Object:
    addresses = [{"type": "InternalIP", "address": address} for address in node.addresses]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata_of(cluster.created_at, "Node", "", node.name, labels=dict(node.labels)),
        "spec": {"podCIDR": node.pod_networks[0], "podCIDRs": list(node.pod_networks)},
        "status": {
            "addresses": [*addresses, {"type": "Hostname", "address": node.name}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def _made_owners(cluster: Cluster) -> list[Object]:
    """What controllers make between a workload and its pods: ReplicaSets, and the Jobs of CronJobs."""
    top = names_of(value for value in cluster.given if value["kind"] in _SHOWN_AS_GIVEN)
    found = {}
    for pod in cluster.pods:
        for owner, above in zip(pod.owners, pod.owners[1:], strict=False):
            if (owner.kind, pod.namespace, owner.name) not in top:
                references = [_reference(above, pod.namespace)]
                found[owner, pod.namespace] = {
                    "apiVersion": owner.api_version,
                    "kind": owner.kind,
                    "metadata": metadata_of(
                        pod.created_at, owner.kind, pod.namespace, owner.name, ownerReferences=references
                    ),
                    "spec": _made_spec(owner.kind, pod),
                }
    return list(found.values())


def _made_spec(kind: str, pod: Pod) -> Object:
    spec = {key: value for key, value in _pod_spec(pod).items() if key != "nodeName"}
    template = {"metadata": {"labels": dict(pod.labels)}, "spec": spec}
    return {"template": template, **({} if kind == "Job" else {"selector": {"matchLabels": dict(pod.labels)}})}


def _reference(owner: Controller, namespace: str) -> Object:
    return {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": uid_of(owner.kind, namespace, owner.name),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _pod(pod: Pod) -> Object:
    owners = [_reference(pod.owners[0], pod.namespace)] if pod.owners else []
    conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized")]
    conditions.append({"type": "Ready", "status": str(pod.status.is_ready)})
    containers = [
        {"name": container["name"], "ready": pod.status.is_ready, "restartCount": pod.status.restarts}
        for container in pod.containers
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod.name,
            "namespace": pod.namespace,
            "uid": pod.uid,
            "creationTimestamp": pod.created_at,
            "labels": dict(pod.labels),
            "annotations": dict(pod.annotations),
            **({"ownerReferences": owners} if owners else {}),
        },
        "spec": _pod_spec(pod),
        "status": {
            "phase": "Running",
            "hostIP": pod.node.addresses[0],
            "hostIPs": [{"ip": address} for address in pod.node.addresses],
            "podIP": pod.addresses[0],
            "podIPs": [{"ip": address} for address in pod.addresses],
            "startTime": pod.created_at,
            "conditions": conditions,
            "containerStatuses": containers,
        },
    }


def _pod_spec(pod: Pod) -> Object:
    """What matters to the network: hundreds of whole specs would be written anew whenever a pod comes or goes."""
    return {
        "nodeName": pod.node.name,
        "serviceAccountName": pod.spec.get("serviceAccountName", "default"),
        **({"hostNetwork": True} if pod.is_on_host_network else {}),
        "containers": [
            {"name": container["name"], "ports": [dict(port) for port in container.get("ports", ())]}
            for container in pod.containers
        ],
    }


def _service(cluster: Cluster, service: Service) -> Object:
    addresses = list(service.addresses) or ["None"]
    is_name = service.spec.get("type") == "ExternalName"
    own: dict[str, Any] = {"clusterIP": addresses[0], "clusterIPs": addresses, "ipFamilies": ["IPv4", "IPv6"]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata_of(cluster.created_at, "Service", service.namespace, service.name),
        "spec": {
            "type": "ClusterIP",
            **service.spec,
            **({} if is_name else own),
            "ports": [dict(port) for port in service.ports],
        },
    }
