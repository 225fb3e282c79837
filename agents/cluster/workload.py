"""Workloads: the top of each pod's chain of owners, as far as it is known, and whom a new owner amends."""

from dataclasses import dataclass, field
from typing import Any, Final

from agents.cluster.record.slim import Record, key_of

_MAXIMUM_CHAIN: Final = 8
_OWNING: Final = frozenset({"ReplicaSet", "Job", "Deployment", "StatefulSet", "DaemonSet", "CronJob"})
_NODE: Final = "Node"
Owner = dict[str, Any]


@dataclass(slots=True)
class OwnerChains:
    """Owners of what can own pods, and the pods below them."""

    _owners: dict[str, Owner | None] = field(default_factory=dict)
    _pods: dict[str, set[str]] = field(default_factory=dict)

    def learn(self, key: str, record: Record) -> None:
        """Take in who owns an object. Kept when the object goes, since owners go before their pods do."""
        if record["kind"] in _OWNING:
            self._owners[key] = record["owner"]

    def forget(self, key: str) -> None:
        """The object is gone for so long that its pods are too."""
        self._owners.pop(key, None)
        self._pods.pop(key, None)

    def workload(self, record: Record, before: Record | None) -> Owner:
        """Top of a pod's chain, as far as it is known; when its owner is gone, what was known before stays."""
        top: Owner = {"kind": record["kind"], "name": record["name"]}
        owner: Owner | None = record["owner"]
        if owner is None or owner["kind"] == _NODE:
            # The kubelet's mirror of a static pod is owned by its node, which is no workload.
            return top
        if before is not None and key_of(owner["kind"], record["namespace"], owner["name"]) not in self._owners:
            is_same = (before["uid"], before["owner"]) == (record["uid"], owner)
            known: Owner | None = before["workload"] if is_same else None
            return known or owner
        for _ in range(_MAXIMUM_CHAIN):
            if owner is None:
                break
            top, owner = owner, self._owners.get(key_of(owner["kind"], record["namespace"], owner["name"]))
        return top

    def top(self, kind: str, namespace: str, name: str) -> Owner:
        """Top of the chain above an object that can own pods, itself included, as far as it is known."""
        top: Owner = {"kind": kind, "name": name}
        for _ in range(_MAXIMUM_CHAIN):
            owner = self._owners.get(key_of(top["kind"], namespace, top["name"]))
            if owner is None:
                break
            top = owner
        return top

    def note(self, key: str, record: Record) -> None:
        """Remember which pod to amend when an owner turns out to have an owner."""
        for owner in self._above(record):
            self._pods.setdefault(owner, set()).add(key)

    def drop(self, key: str, record: Record) -> None:
        """The pod is gone."""
        for owner in self._above(record):
            pods = self._pods.get(owner, set())
            pods.discard(key)
            if not pods:
                self._pods.pop(owner, None)

    def pods(self, owner_key: str) -> list[str]:
        """Keys of the pods whose workload may change with this owner."""
        return sorted(self._pods.get(owner_key, ()))

    def _above(self, record: Record) -> set[str]:
        owners = (record["owner"], record["workload"])
        return {key_of(owner["kind"], record["namespace"], owner["name"]) for owner in owners if owner is not None}
