"""The cluster's objects as they are now, against what the topic says of them: yields the records to publish.

Pure: objects, their disappearance and the clock come in. Decides who held which address when:
- assigned: the pod's start (startTime, or creationTimestamp when that is later), but never before the previous holder
  let go: flows can begin before this process sees the address, so the observation would be too late.
- released: when the pod is seen to be gone or ended. If the next holder's start is already known to lie before that,
  its start: two pods never hold an address at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.cluster.record.kind import KINDS, Kind, kind_of
from agents.cluster.record.slim import Record, holds_addresses, key_of, slim, started_at
from agents.cluster.record.value import mapping, text

Object = Mapping[str, Any]
_OWNERS: Final = ("ReplicaSet", "Job", "Deployment", "StatefulSet", "DaemonSet", "CronJob")
_MAXIMUM_CHAIN: Final = 8
_RANKS: Final = {kind.name: rank for rank, kind in enumerate(KINDS)}
_UNIMPORTANT: Final = ("observed_at_ns", "resource_version")


@dataclass(frozen=True, slots=True)
class Change:
    """A record to publish; none of it means that the key goes (a tombstone)."""

    key: str
    record: Record | None


@dataclass(slots=True)
class _Hold:
    """Who has an address, or had it last."""

    key: str
    uid: str
    assigned_at_ns: int
    released_at_ns: int | None = None


@dataclass(slots=True)
class Inventory:
    """Feed it objects; publish what it returns, in that order."""

    cluster: str
    tombstone_delay_ns: int
    _published: dict[str, Record] = field(default_factory=dict)
    _present: set[str] = field(default_factory=set)
    _owners: dict[str, Record | None] = field(default_factory=dict)
    _pods_of: dict[str, set[str]] = field(default_factory=dict)
    _holds: dict[str, _Hold] = field(default_factory=dict)

    def load(self, key: str, record: Record | None) -> None:
        """Take in what the topic holds, before anything else."""
        if record is None:
            self._published.pop(key, None)
            return
        self._published[key] = record
        for address in record["addresses"] if record["kind"] == "Pod" and not record["host_network"] else ():
            released = address["released_at_ns"]
            known = self._holds.get(address["address"])
            if known is None or known.assigned_at_ns <= address["assigned_at_ns"]:
                hold = _Hold(key, record["uid"], address["assigned_at_ns"], released)
                self._holds[address["address"]] = hold

    def apply(self, value: Object, now_ns: int) -> list[Change]:
        """Take in an object as it is now. One of another kind, or without a name, is passed over."""
        kind = kind_of(text(value, "apiVersion"), text(value, "kind"))
        if kind is None or not text(value, "metadata", "name"):
            return []
        return self._apply(kind, value, now_ns)

    def remove(self, kind: str, namespace: str, name: str, now_ns: int) -> list[Change]:
        """An object is gone."""
        key = key_of(kind, namespace, name)
        self._present.discard(key)
        self._owners.pop(key, None)
        record = self._published.get(key)
        if record is None or record["deleted_at_ns"] is not None:
            return []
        for owner in (record["owner"], record["workload"]):
            if owner is not None:
                self._pods_of.get(key_of(owner["kind"], namespace, owner["name"]), set()).discard(key)
        self._pods_of.pop(key, None)
        return self._publish(key, self._ended(record, now_ns))

    def replace(self, values: Iterable[Object], now_ns: int, kinds: frozenset[str] | None = None) -> list[Change]:
        """Take in a whole listing: what it lacks is gone. ``kinds``: those that it lists; all without."""
        listed = [value for value in values if kind_of(text(value, "apiVersion"), text(value, "kind")) is not None]
        keys = {_key_of(value) for value in listed}
        self._note_successors(listed)
        gone = [
            (record["kind"], record["namespace"], record["name"])
            for key, record in self._published.items()
            if key not in keys and record["deleted_at_ns"] is None and (kinds is None or record["kind"] in kinds)
        ]
        changes = [change for names in gone for change in self.remove(*names, now_ns)]
        for value in sorted(listed, key=_rank):
            changes += self.apply(value, now_ns)
        return changes

    def expire(self, now_ns: int) -> list[Change]:
        """Tombstones for what was deleted long ago."""
        old = [
            key
            for key, record in self._published.items()
            if record["deleted_at_ns"] is not None and record["deleted_at_ns"] + self.tombstone_delay_ns <= now_ns
        ]
        for key in old:
            for address in self._published.pop(key)["addresses"]:
                hold = self._holds.get(address["address"])
                if hold is not None and hold.key == key and hold.released_at_ns is not None:
                    del self._holds[address["address"]]
        return [Change(key, None) for key in old]

    def count(self) -> dict[str, int]:
        """Objects that exist, by kind."""
        counts = dict.fromkeys(_RANKS, 0)
        for record in self._published.values():
            counts[record["kind"]] = counts.get(record["kind"], 0) + (record["deleted_at_ns"] is None)
        return counts

    def _apply(self, kind: Kind, value: Object, now_ns: int) -> list[Change]:
        record = slim(self.cluster, kind, value, now_ns)
        key = key_of(kind.name, record["namespace"], record["name"])
        before = self._published.get(key)
        changes: list[Change] = []
        if before is not None and before["uid"] != record["uid"] and before["deleted_at_ns"] is None:
            changes += self._publish(key, self._ended(before, now_ns))
        is_new = key not in self._present and (before is None or before["uid"] != record["uid"])
        self._present.add(key)
        if is_new and record["created_at_ns"]:
            # What is first seen existed since it was made; what it was in between nobody knows.
            record["observed_at_ns"] = record["created_at_ns"]
        if kind.name in _OWNERS:
            self._owners[key] = record["owner"]
        if kind.name == "Pod":
            record["workload"] = self._workload(record)
            self._note_pod(key, record)
            record["addresses"] = self._held_by(key, record, started_at(value), now_ns)
        else:
            for address in record["addresses"]:
                address["assigned_at_ns"] = record["created_at_ns"]
        changes += self._publish(key, record)
        return changes + self._amend_pods(key, now_ns)

    def _publish(self, key: str, record: Record) -> list[Change]:
        before = self._published.get(key)
        if before is not None and _without(before) == _without(record):
            return []
        self._published[key] = record
        return [Change(key, record)]

    def _ended(self, record: Record, now_ns: int) -> Record:
        """The record of an object that is gone, its addresses let go."""
        return {
            **record,
            "deleted_at_ns": now_ns,
            "observed_at_ns": now_ns,
            "is_ready": False,
            "addresses": [self._released(record, address, now_ns) for address in record["addresses"]],
        }

    def _released(self, record: Record, address: Record, now_ns: int) -> Record:
        if address["released_at_ns"] is not None or record["kind"] != "Pod":
            return address
        hold = self._holds.get(address["address"])
        released = now_ns
        if hold is not None and hold.uid == record["uid"]:
            hold.released_at_ns = released = min(now_ns, hold.released_at_ns or now_ns)
        elif hold is not None:
            released = min(now_ns, hold.assigned_at_ns)
        return {**address, "released_at_ns": max(released, address["assigned_at_ns"])}

    def _held_by(self, key: str, record: Record, started_at_ns: int, now_ns: int) -> list[Record]:
        """A pod's addresses with their times; on the node's network they are the node's."""
        if record["host_network"]:
            return [{**address, "assigned_at_ns": record["created_at_ns"]} for address in record["addresses"]]
        before = self._published.get(key)
        told = {a["address"]: a for a in before["addresses"]} if before and before["uid"] == record["uid"] else {}
        held = []
        for address in record["addresses"]:
            known = told.get(address["address"])
            assigned = (
                known["assigned_at_ns"] if known else self._assigned_at(address["address"], record, started_at_ns)
            )
            entry = {**address, "assigned_at_ns": assigned, "released_at_ns": known and known["released_at_ns"]}
            if known is None:
                self._holds[address["address"]] = _Hold(key, record["uid"], assigned)
            held.append(entry if holds_addresses(record) else self._released(record, entry, now_ns))
        lost = [entry for name, entry in told.items() if name not in {a["address"] for a in record["addresses"]}]
        return held + [self._released(record, entry, now_ns) for entry in lost]

    def _assigned_at(self, address: str, record: Record, started_at_ns: int) -> int:
        hold = self._holds.get(address)
        if hold is None or hold.uid == record["uid"]:
            return started_at_ns
        return max(started_at_ns, hold.released_at_ns or 0)

    def _note_successors(self, listed: list[Object]) -> None:
        """In a listing that shows a pod gone and the next holder of its address, the next one's start is the border."""
        for value in listed:
            started = started_at(value)
            if text(value, "kind") != "Pod" or not started:
                continue
            for item in mapping(value, "status").get("podIPs") or ():
                hold = self._holds.get(text(item, "ip"))
                is_next = hold is not None and hold.uid != text(value, "metadata", "uid")
                if hold is not None and is_next and hold.released_at_ns is None and started > hold.assigned_at_ns:
                    hold.released_at_ns = started

    def _workload(self, record: Record) -> Record:
        """Top of the owner chain, as far as it is known."""
        top = {"kind": record["kind"], "name": record["name"]}
        owner = record["owner"]
        for _ in range(_MAXIMUM_CHAIN):
            if owner is None:
                break
            top = owner
            owner = self._owners.get(key_of(owner["kind"], record["namespace"], owner["name"]))
        return top

    def _note_pod(self, key: str, record: Record) -> None:
        """Remember whom to amend when an owner turns out to have an owner."""
        for owner in (record["owner"], record["workload"]):
            if owner is not None:
                self._pods_of.setdefault(key_of(owner["kind"], record["namespace"], owner["name"]), set()).add(key)

    def _amend_pods(self, owner_key: str, now_ns: int) -> list[Change]:
        changes: list[Change] = []
        for key in sorted(self._pods_of.get(owner_key, ())):
            record = self._published.get(key)
            if record is None or record["deleted_at_ns"] is not None:
                continue
            workload = self._workload(record)
            if workload != record["workload"]:
                amended = {**record, "workload": workload, "observed_at_ns": now_ns}
                self._note_pod(key, amended)
                changes += self._publish(key, amended)
        return changes


def _without(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in _UNIMPORTANT}


def _key_of(value: Object) -> str:
    metadata = mapping(value, "metadata")
    return key_of(text(value, "kind"), text(metadata, "namespace"), text(metadata, "name"))


def _rank(value: Object) -> int:
    return _RANKS[text(value, "kind")]
