"""A small cluster as objects in files, and as records of the topic."""

from typing import Any

from conntrail.policy.cluster.build import build_snapshot
from conntrail.policy.cluster.manifest import records_of
from conntrail.policy.cluster.snapshot import Snapshot

Manifest = dict[str, Any]
NOW_NS = 1_795_458_720_000_000_000


def manifest(kind: str, name: str, *, namespace: str = "shop", version: str = "v1", **more: Any) -> Manifest:
    metadata: Manifest = {"name": name, "labels": more.pop("labels", {}), "annotations": more.pop("annotations", {})}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata |= {"ownerReferences": [more.pop("owner")]} if "owner" in more else {}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def pod(
    name: str, address: str, *, app: str = "", namespace: str = "shop", ready: bool = True, **more: Any
) -> Manifest:
    """A pod of the ReplicaSet ``app``, which stands for the workload."""
    app = app or name.partition("-")[0]
    ports = [{"name": key, "containerPort": number} for key, number in more.get("ports", {}).items()]
    return manifest(
        "Pod",
        name,
        namespace=namespace,
        labels=more.get("labels", {"app": app}),
        owner={"kind": "ReplicaSet", "name": app, "controller": True},
        spec={"nodeName": more.get("node", "node1"), "containers": [{"name": "c", "ports": ports}]},
        status={
            "phase": "Running",
            "podIP": address,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    )


def node(name: str, address: str, *, ready: bool = True) -> Manifest:
    return manifest(
        "Node", name, namespace="",
        status={
            "addresses": [{"type": "InternalIP", "address": address}],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    )  # fmt: skip


def service(name: str, address: str, port: int, target: int | str, *, app: str = "") -> Manifest:
    ports = [{"port": port, "targetPort": target}]
    return manifest("Service", name, spec={"clusterIP": address, "selector": {"app": app or name}, "ports": ports})


def policy(name: str, spec: Any, *, namespace: str = "shop", **more: Any) -> Manifest:
    return manifest("NetworkPolicy", name, namespace=namespace, version="networking.k8s.io/v1", spec=spec, **more)


def allow_from(app: str, to: str, port: int | str = 8080) -> Manifest:
    """Policy ``to`` that lets only ``app`` into it."""
    peers = [{"podSelector": {"matchLabels": {"app": app}}}]
    rule = {"from": peers, "ports": [{"port": port}]}
    return policy(to, {"podSelector": {"matchLabels": {"app": to}}, "ingress": [rule]})


def snapshot(*manifests: Manifest) -> Snapshot:
    return build_snapshot(records_of(manifests, "test", NOW_NS))
