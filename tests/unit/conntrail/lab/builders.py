"""Kubernetes objects as a user writes them."""

from collections.abc import Sequence
from typing import Any

from conntrail.lab.cluster import Cluster, Pod
from conntrail.lab.manifest.check import Checked, checked
from conntrail.lab.manifest.parse import Source
from conntrail.lab.place import build_cluster

AT = "2026-01-01T00:00:00Z"
VERSIONS = {"Pod": "v1", "Service": "v1", "Node": "v1", "Namespace": "v1", "ReplicationController": "v1"}
VERSIONS |= dict.fromkeys(("AdminNetworkPolicy", "BaselineAdminNetworkPolicy"), "policy.networking.k8s.io/v1alpha1")
VERSIONS |= {"ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2"}
VERSIONS |= dict.fromkeys(
    ("GlobalNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedNetworkPolicy", "StagedKubernetesNetworkPolicy"),
    "projectcalico.org/v3",
)
VERSIONS |= dict.fromkeys(("Tier", "NetworkSet", "GlobalNetworkSet"), "projectcalico.org/v3")
VERSIONS |= {"Job": "batch/v1", "CronJob": "batch/v1", "NetworkPolicy": "networking.k8s.io/v1"}
Object = dict[str, Any]


def an_object(kind: str, name: str, spec: Object | None = None, **metadata: Any) -> Object:
    return {
        "apiVersion": VERSIONS.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": name, **metadata},
        **({} if spec is None else {"spec": spec}),
    }


def calico(name: str, namespace: str = "", **spec: Any) -> Object:
    """A NetworkPolicy of Calico, or a GlobalNetworkPolicy when it has no namespace."""
    if not namespace:
        return an_object("GlobalNetworkPolicy", name, spec)
    value = an_object("NetworkPolicy", name, spec, namespace=namespace)
    return {**value, "apiVersion": "projectcalico.org/v3"}


def pod_spec(*ports: Object, **more: Any) -> Object:
    return {"containers": [{"name": "app", "ports": list(ports)}], **more}


def template(annotations: dict[str, str] | None = None, **more: Any) -> Object:
    return {"metadata": {"labels": {"app": "a"}, "annotations": annotations}, "spec": pod_spec(**more)}


def workload(kind: str, name: str, replicas: int | None = 1, metadata: Object | None = None, **of_pod: Any) -> Object:
    selector: Object = {"app": "a"} if kind == "ReplicationController" else {"matchLabels": {"app": "a"}}
    spec = {"replicas": replicas, "selector": selector, "template": template(**of_pod)}
    return an_object(kind, name, spec, **(metadata or {}))


def job(name: str, annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    return an_object("Job", name, {"template": template(annotations), **spec})


def cron_job(name: str, of_pod: dict[str, str] | None = None, of_job: dict[str, str] | None = None) -> Object:
    spec = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template(of_pod)}}}
    return an_object("CronJob", name, spec, annotations=of_job)


def owned(value: Object, kind: str, name: str) -> Object:
    reference = {"apiVersion": VERSIONS.get(kind, "apps/v1"), "kind": kind, "name": name, "controller": True}
    return {**value, "metadata": {**value["metadata"], "ownerReferences": [reference]}}


def check(*objects: object) -> Checked:
    return checked((Source("a.yaml", number), value) for number, value in enumerate(objects, 1))  # type: ignore[misc]


def built(*objects: Object) -> Cluster:
    return build_cluster(check(*objects).objects, AT)


def pods(*objects: Object) -> Sequence[Pod]:
    return built(*objects).pods
