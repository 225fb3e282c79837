"""Who is owed what."""

from typing import Any

import pytest

from streams.delivery.item import Item
from streams.delivery.queue import DeliveryQueue
from streams.delivery.receiver import Receiver
from streams.delivery.told import Tally, delivery, first_record, owed
from tests.support.alerts import AT_NS, alert, resolved
from tests.unit.streams.delivery.builders import receiver


def _tally(*told: tuple[Receiver, Item]) -> Tally:
    tally = Tally()
    tally.take(first_record("test", "own", AT_NS - 1))
    for to, item in told:
        tally.take(delivery(to, item, "delivered", AT_NS, tally.get(item.alert["id"])))
    return tally


_HOOK = receiver()
_OPENED = (_HOOK, Item(alert(), "open"))


@pytest.mark.parametrize(
    ("record", "told", "is_silenced", "action"),
    [
        (alert(), (), False, "open"),
        (alert(), (), True, None),
        (alert(severity="low"), (), False, None),
        (alert(), (_OPENED,), False, None),
        (alert("a1", 2), (_OPENED,), False, "update"),
        (alert("a1", 2), (_OPENED,), True, None),
        (resolved(), (_OPENED,), False, "resolve"),
        (resolved(), (_OPENED,), True, "resolve"),
        (resolved(severity="low"), (_OPENED,), False, "resolve"),
        (resolved(), (), True, None),
        (resolved(), (), False, "resolve"),
        (resolved(resolved_at_ns=AT_NS - 2), (), False, None),
        (alert("a1", 10), (_OPENED, (_HOOK, Item(resolved(), "resolve"))), False, "open"),
    ],
)
def test_what_is_owed(record: dict[str, Any], told: Any, is_silenced: bool, action: str | None) -> None:
    assert owed(receiver(severity="medium"), record, _tally(*told), is_silenced=is_silenced) == action


def test_people_are_told_beginning_and_end_unless_they_ask_for_more() -> None:
    for more, action in ((None, None), (True, "update"), (False, None)):
        people = receiver("slack") if more is None else receiver("slack", updates=more)
        assert owed(people, alert("a1", 2), _tally((people, Item(alert(), "open"))), is_silenced=False) == action


def test_an_opening_that_was_given_up_leaves_nothing_open() -> None:
    dead = delivery(_HOOK, Item(alert(), "open"), "dead", AT_NS, None)
    assert (dead["is_open"], dead["outcome"]) == (False, "dead")
    tally = _tally(_OPENED)
    assert delivery(_HOOK, Item(alert("a1", 2), "update"), "dead", AT_NS, tally.get("a1"))["is_open"] is True
    assert delivery(_HOOK, Item(resolved(), "resolve"), "dead", AT_NS, tally.get("a1"))["is_open"] is False


def test_what_the_topic_says_later_of_an_earlier_revision_changes_nothing() -> None:
    tally = _tally((_HOOK, Item(alert("a1", 3), "update")))
    tally.take(delivery(_HOOK, Item(alert("a1", 2), "update"), "delivered", AT_NS, None))
    told = tally.get("a1")
    assert told is not None
    assert told.revision == 3


def test_an_alert_that_fails_stands_behind_the_others_and_keeps_its_age() -> None:
    queue = DeliveryQueue()
    queue.add("a", 0.0)
    queue.add("b", 1.0)
    queue.failed("a", 2.0).not_before = 5.0
    queue.add("a", 3.0)
    assert queue.ready(4.0, 10) == ["b"]
    assert queue.ready(5.0, 10) == ["b", "a"]
    assert queue.older(10.0, 10.0) == ["a"]
    queue.done("b")
    assert queue.next_at() == 5.0


def test_what_must_outlast_its_topic_is_since_when_a_receiver_is_there_and_what_it_has_open() -> None:
    dead = delivery(_HOOK, Item(alert("a2"), "open"), "dead", AT_NS, None)
    over = delivery(_HOOK, Item(resolved("a3"), "resolve"), "delivered", AT_NS, None)
    tally = _tally(_OPENED)
    for record in (dead, over):
        tally.take(record)
    lasting = tally.lasting("test", _HOOK.name)
    assert lasting == [
        first_record("test", _HOOK.name, AT_NS - 1),
        delivery(_HOOK, Item(alert(), "open"), "delivered", AT_NS, None),
    ]
    again = Tally()
    for record in lasting:
        again.take(record)
    assert (again.since_ns, again.get("a1")) == (tally.since_ns, tally.get("a1"))
    assert Tally().lasting("test", _HOOK.name) == []
