"""The cluster's objects as they are now, against what the topic says of them: yields the records to publish.

Pure: objects, their disappearance and the clock come in. What is decided here:
- observed_at_ns of a state that nobody saw begin is the object's creation; of every later one, its observation.
- an object that is gone gets a record with deleted_at_ns, its addresses released; a tombstone follows later.
- nothing is published that the topic says already; resource_version and observed_at_ns alone are no change.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.cluster.address.ledger import AddressLedger, Holder, Interval
from agents.cluster.record.kind import KINDS, Kind, kind_of
from agents.cluster.record.slim import Record, finished_at, holds_addresses, key_of, slim, started_at, title_of
from agents.cluster.record.value import mapping, text
from agents.cluster.workload import OwnerChains

Object = Mapping[str, Any]
_RANKS: Final = {kind.title: rank for rank, kind in enumerate(KINDS)}
_ALL: Final = frozenset(_RANKS)
_NS_PER_SECOND: Final = 1_000_000_000
"""Objects tell when they were made in whole seconds."""
_UNIMPORTANT: Final = ("observed_at_ns", "resource_version")


@dataclass(frozen=True, slots=True)
class Update:
    """A record to publish; none of it means that the key goes (a tombstone)."""

    key: str
    record: Record | None
    before: Record | None = field(default=None, compare=False)
    """What the topic says meanwhile."""
    is_new: bool = field(default=False, compare=False)
    """The object was made after whatever the topic says; else one without a record before may be old."""


@dataclass(slots=True)
class Inventory:
    """Feed it objects; publish what it returns, in that order."""

    cluster: str
    tombstone_delay_ns: int
    _published: dict[str, Record] = field(default_factory=dict)
    _chains: OwnerChains = field(default_factory=OwnerChains)
    _ledger: AddressLedger = field(default_factory=AddressLedger)
    _doomed: list[tuple[int, str, str]] = field(default_factory=list)
    _alive: Counter[str] = field(default_factory=Counter)
    _listed: set[str] = field(default_factory=set)
    """Titles of kinds that have been listed since the start."""
    _latest_ns: int = 0
    """Of the topic at the start; 0 when it was empty."""

    def load(self, key: str, record: Record | None) -> None:
        """Take in what the topic holds, in its order, before anything else."""
        if record is None:
            self._note(key, None)
            return
        self._note(key, record)
        self._latest_ns = max(self._latest_ns, record["observed_at_ns"])
        self._chains.learn(key, record)
        if not _has_own_addresses(record):
            return
        self._ledger.forget(_identity(key, record))
        for entry in record["addresses"]:
            interval = Interval(entry["address"], entry["assigned_at_ns"], entry["released_at_ns"])
            holder = Holder(_identity(key, record), key, interval.assigned_at_ns)
            self._ledger.restore(holder, interval)
        if holds_addresses(record):
            self._chains.note(key, record)

    def apply(self, value: Object, now_ns: int) -> list[Update]:
        """Take in an object as it is now. One of another kind, or without a name, is passed over."""
        kind = kind_of(text(value, "apiVersion"), text(value, "kind"))
        if kind is None or not text(value, "metadata", "name"):
            return []
        return self._apply(kind, value, now_ns, is_listed=False)

    def remove(self, value: Object, now_ns: int) -> list[Update]:
        """An object is gone; ``value`` is how it was last, at least its kind, namespace and name."""
        key = _key_of(value)
        record = self._published.get(key)
        if record is None or record["deleted_at_ns"] is not None:
            return []
        return self._end(key, record, now_ns, finished_at(value))

    def replace(self, values: Iterable[Object], now_ns: int, kinds: frozenset[str] = _ALL) -> list[Update]:
        """Take in a whole listing of some kinds: what it lacks is gone; of several with one name the last counts.

        ``kinds``: their titles.
        """
        listed = {_key_of(value): value for value in values if _is_named(value)}
        gone = [
            (key, record)
            for key, record in self._published.items()
            if key not in listed and record["deleted_at_ns"] is None and title_of(key) in kinds
        ]
        updates = [update for key, record in gone for update in self._end(key, record, now_ns, 0)]
        for value in sorted(listed.values(), key=_rank):
            kind = kind_of(text(value, "apiVersion"), text(value, "kind"))
            if kind is not None:
                updates += self._apply(kind, value, now_ns, is_listed=kind.title not in self._listed)
        self._listed |= kinds
        return updates

    def expire(self, now_ns: int) -> list[Update]:
        """Tombstones for what was deleted long ago."""
        updates = []
        while self._doomed and self._doomed[0][0] + self.tombstone_delay_ns <= now_ns:
            deleted_at_ns, key, identity = heapq.heappop(self._doomed)
            record = self._published.get(key)
            is_back = record is not None and _identity(key, record) == identity and record["deleted_at_ns"] is None
            if not is_back:
                self._ledger.forget(identity)
            if record is not None and record["deleted_at_ns"] == deleted_at_ns:
                self._note(key, None)
                self._chains.forget(key)
                updates.append(Update(key, None))
        return updates

    def count(self) -> dict[str, int]:
        """Objects that exist, by title of their kind."""
        return {title: self._alive[title] for title in _RANKS}

    def record(self, key: str) -> Record | None:
        """What the topic says of a key; deleted objects stay for a while."""
        return self._published.get(key)

    def workload(self, kind: str, namespace: str, name: str) -> Record:
        """Kind and name of the top of the chain above what can own pods."""
        return self._chains.top(kind, namespace, name)

    def pods(self, namespace: str | None) -> Iterator[Record]:
        """Those of a namespace that exist, or of all. Looks at every object: not for what happens often."""
        prefix = "Pod/" if namespace is None else key_of("Pod", namespace, "")
        for key, record in self._published.items():
            if key.startswith(prefix) and record["deleted_at_ns"] is None:
                yield record

    def _apply(self, kind: Kind, value: Object, now_ns: int, *, is_listed: bool) -> list[Update]:
        """``is_listed``: nobody watched its kind before, so it may be old although the topic does not have it."""
        record = slim(self.cluster, kind, value, now_ns)
        key = key_of(kind.title, record["namespace"], record["name"])
        before = self._published.get(key)
        updates: list[Update] = []
        if before is not None and before["uid"] != record["uid"]:
            # Made again under the same name, and nobody saw the old one go.
            updates += self._end(key, before, now_ns, 0) if before["deleted_at_ns"] is None else []
            before = None
        is_new = not is_listed or bool(0 < self._latest_ns < record["created_at_ns"] + _NS_PER_SECOND)
        if before is None and record["created_at_ns"]:
            record["observed_at_ns"] = min(record["created_at_ns"], now_ns)
        self._chains.learn(key, record)
        if kind.name == "Pod":
            record["workload"] = self._chains.workload(record, before)
            self._chains.note(key, record)
        if _has_own_addresses(record):
            return updates + self._place(key, record, value, now_ns, is_new=is_new)
        record["addresses"] = _since(record, before, now_ns)
        return updates + self._publish(key, record, is_new=is_new) + self._amend_workloads(key)

    def _place(self, key: str, record: Record, value: Object, now_ns: int, *, is_new: bool) -> list[Update]:
        """Publish a pod, after the pods whose intervals its addresses move."""
        ended = None if holds_addresses(record) else _end_of(finished_at(value), now_ns)
        holder = Holder(_identity(key, record), key, started_at(value))
        moved = self._ledger.update(holder, [entry["address"] for entry in record["addresses"]], ended, now_ns)
        record["addresses"] = self._intervals(key, record)
        return self._amend_addresses(moved) + self._publish(key, record, is_new=is_new)

    def _end(self, key: str, record: Record, now_ns: int, finished_at_ns: int) -> list[Update]:
        """The record of an object that is gone, its addresses let go."""
        ended = {**record, "deleted_at_ns": now_ns, "observed_at_ns": now_ns, "is_ready": False}
        moved: set[str] = set()
        if _has_own_addresses(record):
            identity = _identity(key, record)
            holder = Holder(identity, key, 0)
            held = [entry["address"] for entry in record["addresses"]]
            moved = self._ledger.update(holder, held, _end_of(finished_at_ns, now_ns), now_ns)
            ended["addresses"] = self._intervals(key, record)
        else:
            ended["addresses"] = [_released(entry, now_ns) for entry in record["addresses"]]
        self._chains.drop(key, record)
        return self._publish(key, ended) + self._amend_addresses(moved)

    def _publish(self, key: str, record: Record, *, is_new: bool = False) -> list[Update]:
        before = self._published.get(key)
        if before is not None and _without(before) == _without(record):
            return []
        self._note(key, record)
        return [Update(key, record, before, is_new)]

    def _note(self, key: str, record: Record | None) -> None:
        """What the topic says of a key from now on."""
        title = title_of(key)
        before = self._published.pop(key, None)
        if before is not None and before["deleted_at_ns"] is None:
            self._alive[title] -= 1
        if record is None:
            return
        self._published[key] = record
        if record["deleted_at_ns"] is None:
            self._alive[title] += 1
        elif before is None or before["deleted_at_ns"] != record["deleted_at_ns"]:
            heapq.heappush(self._doomed, (record["deleted_at_ns"], key, _identity(key, record)))

    def _intervals(self, key: str, record: Record) -> list[Record]:
        return [
            {
                "address": interval.address,
                "assigned_at_ns": interval.assigned_at_ns,
                "released_at_ns": interval.released_at_ns,
            }
            for interval in self._ledger.intervals(_identity(key, record))
        ]

    def _amend_addresses(self, keys: set[str]) -> list[Update]:
        updates: list[Update] = []
        for key in sorted(keys):
            record = self._published.get(key)
            addresses = [] if record is None else self._intervals(key, record)
            if record is not None and addresses:
                updates += self._publish(key, {**record, "addresses": addresses})
        return updates

    def _amend_workloads(self, owner_key: str) -> list[Update]:
        """The workload was the same all along, so the amended record holds from when the first one did."""
        updates: list[Update] = []
        for key in self._chains.pods(owner_key):
            record = self._published.get(key)
            if record is None or record["deleted_at_ns"] is not None:
                continue
            amended = {**record, "workload": self._chains.workload(record, record)}
            self._chains.note(key, amended)
            updates += self._publish(key, amended)
        return updates


def _has_own_addresses(record: Record) -> bool:
    """A pod on the node's network has the node's addresses, which are told as they are."""
    return record["kind"] == "Pod" and not record["host_network"]


def _identity(key: str, record: Record) -> str:
    """Manifests may lack a UID."""
    return record["uid"] or key


def _end_of(finished_at_ns: int, now_ns: int) -> int:
    return min(finished_at_ns, now_ns) if finished_at_ns else now_ns


def _since(record: Record, before: Record | None, now_ns: int) -> list[Record]:
    """Addresses of what is no pod of its own: since it was made, or since they were added."""
    told = {} if before is None else {entry["address"]: entry for entry in before["addresses"]}
    added = record["created_at_ns"] if before is None or before["deleted_at_ns"] is not None else now_ns
    entries = []
    for entry in record["addresses"]:
        known = told.get(entry["address"], {"assigned_at_ns": added, "released_at_ns": None})
        released = None if holds_addresses(record) else known["released_at_ns"] or now_ns
        entries.append({**entry, "assigned_at_ns": known["assigned_at_ns"], "released_at_ns": released})
    return entries


def _released(entry: Record, now_ns: int) -> Record:
    return entry if entry["released_at_ns"] is not None else {**entry, "released_at_ns": now_ns}


def _without(record: Record) -> Record:
    return {name: value for name, value in record.items() if name not in _UNIMPORTANT}


def _is_named(value: Object) -> bool:
    is_kind = kind_of(text(value, "apiVersion"), text(value, "kind")) is not None
    return is_kind and bool(text(value, "metadata", "name"))


def _key_of(value: Object) -> str:
    metadata = mapping(value, "metadata")
    return key_of(_title(value), text(metadata, "namespace"), text(metadata, "name"))


def _rank(value: Object) -> int:
    return _RANKS[_title(value)]


def _title(value: Object) -> str:
    kind = kind_of(text(value, "apiVersion"), text(value, "kind"))
    return kind.title if kind is not None else text(value, "kind")
