"""What one receiver has been told, as the topic of deliveries keeps it, and what it is owed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from streams.delivery.item import Action, Item
from streams.delivery.receiver import Receiver

Outcome = Literal["delivered", "dead"]
_REMEMBERED: Final = 100_000
"""Twice the alerts that are known at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """Of one alert."""

    revision: int
    is_open: bool
    outcome: str = "delivered"
    told_at_ns: int = 0


class Tally:
    """Of one receiver, by alert."""

    def __init__(self) -> None:
        self.since_ns: int | None = None
        """When the receiver was first there, Unix time; what was over before is not told."""
        self._told: dict[str, Told] = {}

    def take(self, record: Mapping[str, Any]) -> None:
        """Take a Delivery in."""
        if not record["alert_id"]:
            self.since_ns = record["told_at_ns"]
            return
        known = self._told.pop(record["alert_id"], None)
        if known is not None and known.revision > record["revision"]:
            self._told[record["alert_id"]] = known  # the topic says what we knew before we wrote more
            return
        told = Told(record["revision"], record["is_open"], record["outcome"], record["told_at_ns"])
        self._told[record["alert_id"]] = told
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]

    def get(self, alert_id: str) -> Told | None:
        """What was told of an alert; None when nothing was."""
        return self._told.get(alert_id)

    def lasting(self, cluster: str, receiver: str) -> list[dict[str, Any]]:
        """Records that must outlast what their topic keeps: since when the receiver is there, and what it has open."""
        first = [] if self.since_ns is None else [first_record(cluster, receiver, self.since_ns)]
        still = [
            {
                "cluster": cluster,
                "receiver": receiver,
                "alert_id": alert_id,
                "revision": told.revision,
                "is_open": True,
                "outcome": told.outcome,
                "told_at_ns": told.told_at_ns,
            }
            for alert_id, told in self._told.items()
            if told.is_open
        ]
        return first + still


def owed(receiver: Receiver, alert: Mapping[str, Any], tally: Tally, *, is_silenced: bool) -> Action | None:
    """What to send; None when it has all, or a silence holds the rest back.

    Silence holds back, but an end whose beginning was told is told. An alert that began and ended while nobody could
    send is told as ended, and one that ended before the receiver was there is not.
    """
    told = tally.get(alert["id"])
    if told is not None and told.revision >= alert["revision"]:
        return None
    is_over = alert["status"] == "resolved"
    if told is not None and told.is_open:
        return _owed_further(receiver, is_over=is_over, is_silenced=is_silenced)
    if not receiver.selection.holds(alert):
        return None
    if is_silenced:
        return None
    if is_over:
        return "resolve" if (alert["resolved_at_ns"] or alert["updated_at_ns"]) >= (tally.since_ns or 0) else None
    return "open"


def delivery(receiver: Receiver, item: Item, outcome: Outcome, now_ns: int, told: Told | None) -> dict[str, Any]:
    """A Delivery: what became of it. What is given up leaves open what was open."""
    alert, was_open = item.alert, told is not None and told.is_open
    return {
        "cluster": alert["cluster"],
        "receiver": receiver.name,
        "alert_id": alert["id"],
        "revision": alert["revision"],
        "is_open": item.action != "resolve" and (outcome == "delivered" or was_open),
        "outcome": outcome,
        "told_at_ns": now_ns,
    }


def first_record(cluster: str, receiver: str, now_ns: int) -> dict[str, Any]:
    """The receiver's own: it is there from now."""
    return {
        "cluster": cluster,
        "receiver": receiver,
        "alert_id": "",
        "revision": 0,
        "is_open": False,
        "outcome": "",
        "told_at_ns": now_ns,
    }


def _owed_further(receiver: Receiver, *, is_over: bool, is_silenced: bool) -> Action | None:
    if is_over:
        return "resolve"
    return "update" if receiver.sends_updates and not is_silenced else None
