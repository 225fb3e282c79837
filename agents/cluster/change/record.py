"""Differences as Change records (schemas/avro/change.avsc), with an identity that a repetition shares.

The identity names the object, the action and the state *before*, which is the state that the topic k8s.objects holds:
an agent that ended between telling a change and storing the state after it tells the same change under the same id.
"""

import hashlib
from typing import Final

from agents.cluster.change.difference import Difference, differences
from agents.cluster.inventory import Update
from agents.cluster.record.slim import Record, title_of
from agents.cluster.touch import Touched, touched_fields

_SUMMARIES: Final = {
    "created": "{what} created",
    "deleted": "{what} deleted",
    "rolled_out": "{what} rolled out: {before} → {after}",
    "scaled": "{what} scaled: {before} → {after}",
    "ready": "{what} ready: {before} → {after}",
    "unready": "{what} not ready: {before} → {after}",
    "restarted": "{what} restarted: {before} → {after}",
    "changed": "{what} changed",
}
_MAXIMUM_SUMMARY: Final = 512


def found_differences(update: Update) -> list[Difference]:
    """Differences that an update of the inventory makes; a tombstone makes none."""
    if update.record is None:
        return []
    return differences(update.before, update.record, is_new=update.is_new)


def change_record(update: Update, difference: Difference, touched: Touched, by: str = "", by_at_ns: int = 0) -> Record:
    """The record of one difference; ``update`` holds a record."""
    record = update.record
    assert record is not None
    return {
        "cluster": record["cluster"],
        "id": _identity(update, difference),
        "kind": record["kind"],
        "api_group": record["api_version"].rpartition("/")[0],
        "namespace": record["namespace"],
        "name": record["name"],
        "uid": record["uid"],
        **touched_fields(touched),
        "action": difference.action,
        "from_value": difference.from_value,
        "to_value": difference.to_value,
        "summary": _summary(record, difference),
        "by": by,
        "by_at_ns": by_at_ns,
        "at_ns": record["observed_at_ns"],
    }


def _identity(update: Update, difference: Difference) -> str:
    record, before = update.record, update.before
    assert record is not None
    state = ("",) if before is None else (before["uid"], before["resource_version"], before["observed_at_ns"])
    named = (record["cluster"], title_of(update.key), record["namespace"], record["name"])
    # A deletion ends the state before; else a new object may follow under the same name.
    uid = record["uid"] or (record["created_at_ns"] if difference.action == "created" else "")
    told = "\0".join(map(str, (*named, uid, difference.action, *state)))
    return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _summary(record: Record, difference: Difference) -> str:
    name = "/".join(part for part in (record["namespace"], record["name"]) if part)
    # Of a slice the Service says more than the slice's generated name.
    what = f"{record['kind']} {name}"
    if record["service_name"]:
        what = f"Service {record['namespace']}/{record['service_name']}"
    words = {"what": what, "before": difference.from_value, "after": difference.to_value}
    return _SUMMARIES[difference.action].format(**words)[:_MAXIMUM_SUMMARY]
