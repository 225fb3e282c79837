"""Objects in files as the records that the cluster agent would publish of them, so that both are read alike."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agents.cluster.inventory import Inventory
from agents.cluster.record.value import labels, mapping, text
from conntrail.errors import CommandError
from conntrail.policy.cluster.snapshot import Record
from streams.policy.compile import is_policy, is_referent

Manifest = Mapping[str, Any]
_CLUSTER_WIDE: Final = frozenset({"Namespace", "Node", "Tier", "HostEndpoint"})
_PUBLISHED: Final = frozenset({"Namespace", "EndpointSlice"})
"""Policies refer to them, and the cluster agent's own code makes their records."""
_EMPTY: Final[Record] = {
    "resource_version": "", "generation": 0, "created_at_ns": 0, "deleted_at_ns": None, "owner": None,
    "workload": None, "node_name": "", "service_account": "", "host_network": False, "phase": "", "is_ready": False,
    "addresses": [], "pod_cidrs": [], "ports": [], "service_type": "", "service_name": "", "selector": {},
    "endpoints": [],
}  # fmt: skip


def records_of(manifests: Iterable[Manifest], cluster: str, now_ns: int) -> list[Record]:
    """Of one name the last counts; what lacks a namespace is in ``default``, as kubectl has it.

    Raises CommandError for an object without metadata.
    """
    placed = [_placed(manifest) for manifest in manifests]
    changes = Inventory(cluster, 0).replace(placed, now_ns)
    found = {change.key: change.record for change in changes if change.record is not None}
    policies = {
        _key(manifest): _policy(manifest, cluster, now_ns)
        for manifest in placed
        if _is_judged(text(manifest, "apiVersion"), text(manifest, "kind"))
    }
    others = [record for record in found.values() if not _is_judged(record["api_version"], record["kind"])]
    return [*others, *policies.values()]


def _is_judged(version: str, kind: str) -> bool:
    return kind not in _PUBLISHED and (is_policy(version, kind) or is_referent(version, kind))


def _placed(manifest: Manifest) -> Manifest:
    if not isinstance(manifest.get("metadata"), Mapping):
        raise CommandError(f"an object is malformed: expected metadata, got {manifest.get('metadata')!r:.60}")
    kind, metadata = text(manifest, "kind"), mapping(manifest, "metadata")
    is_cluster_wide = kind in _CLUSTER_WIDE or any(word in kind for word in ("Global", "Cluster", "Admin"))
    if is_cluster_wide or text(metadata, "namespace"):
        return manifest
    return {**manifest, "metadata": {**metadata, "namespace": "default"}}


def _key(manifest: Manifest) -> tuple[str, str, str, str]:
    group = text(manifest, "apiVersion").partition("/")[0]
    return group, text(manifest, "kind"), text(manifest, "metadata", "namespace"), text(manifest, "metadata", "name")


def _policy(manifest: Manifest, cluster: str, now_ns: int) -> Record:
    """Of every kind that can allow or deny, also those that no agent publishes."""
    metadata = mapping(manifest, "metadata")
    return {
        **_EMPTY,
        "cluster": cluster,
        "kind": text(manifest, "kind"),
        "api_version": text(manifest, "apiVersion"),
        "namespace": text(metadata, "namespace"),
        "name": text(metadata, "name"),
        "uid": text(metadata, "uid"),
        "observed_at_ns": now_ns,
        "labels": labels(metadata, "labels"),
        "annotations": labels(metadata, "annotations"),
        "spec_json": json.dumps(manifest.get("spec"), default=str),
    }
