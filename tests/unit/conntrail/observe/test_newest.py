import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.observe.newest import Newest, identity, once
from tests.unit.conntrail.observe.documents import Document, document


def _at(second: int, name: str = "a", **facts: str) -> Document:
    return document(
        **{"@timestamp": f"2026-11-23T18:{second // 60:02}:{second % 60:02}.000Z", "flow__id": name}, **facts
    )


@given(st.permutations(range(12)), st.integers(1, 15))
def test_the_newest_are_kept_in_order_of_time_however_they_come(order: list[int], limit: int) -> None:
    newest = Newest(limit)
    for second in order:
        newest.add(_at(second))
    assert list(newest.documents()) == [_at(second) for second in range(12)][-limit:]


@given(st.permutations(range(12)), st.integers(1, 15))
def test_the_oldest_are_kept_in_order_of_time_however_they_come(order: list[int], limit: int) -> None:
    oldest = Newest(limit, is_from_oldest=True)
    for second in order:
        oldest.add(_at(second))
    assert list(oldest.documents()) == [_at(second) for second in range(12)][:limit]


def test_the_oldest_outlive_being_thinned_out() -> None:
    oldest = Newest(2, is_from_oldest=True)
    for second in reversed(range(3000)):
        oldest.add(_at(second))
    assert len(oldest._kept) <= 1002
    assert list(oldest.documents()) == [_at(0), _at(1)]


def test_a_flow_that_is_emitted_again_is_there_once_as_it_was_last() -> None:
    newest = Newest(10)
    for found in (_at(1), _at(2), _at(1, event__action="denied")):
        newest.add(found)
    assert list(newest.documents()) == [_at(1, event__action="denied"), _at(2)]


def test_what_is_kept_is_bounded() -> None:
    newest = Newest(2)
    for second in range(3000):
        newest.add(_at(second))
    assert len(newest._kept) <= 1002
    assert list(newest.documents()) == [_at(2998), _at(2999)]


@pytest.mark.parametrize(("count", "expected"), [(3, False), (4, True), (1500, True)])
@pytest.mark.parametrize("is_from_oldest", [False, True])
def test_it_is_known_whether_there_were_more(count: int, expected: bool, is_from_oldest: bool) -> None:
    kept = Newest(3, is_from_oldest)
    for second in range(count):
        kept.add(_at(second))
        kept.add(_at(second))
    assert kept.has_more is expected


def test_a_flow_that_is_emitted_again_is_shown_again_only_with_another_verdict() -> None:
    first, other = document(), document(flow__id="connection-2")
    changed = document(event__action="denied")
    assert list(once([first, first, other, changed, changed, first])) == [first, other, changed, first]


def test_a_document_that_is_no_flow_is_shown_once_and_another_one_too() -> None:
    first = document(flow__id=None)
    other = document(flow__id=None, dns__question__name="a.example.org")
    assert identity(first) == identity(document(flow__id=None)) != identity(other)
    assert list(once([first, other, first])) == [first, other]


def test_an_event_that_happened_again_is_one_and_shown_again() -> None:
    facts = {"flow__id": None, "event__id": "uid-1"}
    first, again = document(**facts), document(**facts, kubernetes__event__count=2)
    newest = Newest(10)
    for found in (first, again):
        newest.add(found)
    assert list(newest.documents()) == [again]
    assert list(once([first, first, again])) == [first, again]
