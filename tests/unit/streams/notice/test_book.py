import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.notice.book import AlertBook
from streams.notice.position import PositionError, parse_position, position_text
from streams.notice.selection import Selection
from streams.subscription.subscription import Subscription
from tests.support.alerts import alert, resolved

_SENT = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=60)
"""Partition by alert: an alert is always in the same one."""


def _filled(count: int, book: AlertBook | None = None) -> AlertBook:
    filled = book or AlertBook()
    for number in range(count):
        filled.take(number % 2, number // 2, f"a{number}", alert(f"a{number}"))
    return filled


def test_a_lower_revision_is_passed_over_and_a_tombstone_forgets() -> None:
    book = AlertBook()
    book.take(0, 0, "a1", alert("a1", 2))
    book.take(0, 1, "a1", alert("a1", 1))
    assert [word.alert["revision"] for word in book.alerts()] == [2]
    assert book.position == {0: 2}
    book.take(0, 2, "a1", None)
    assert book.get("a1") is None


def test_too_many_alerts_are_forgotten_resolved_ones_first_and_it_is_known() -> None:
    book = AlertBook(alerts=3, replaced=2, slack=1)
    book.take(0, 0, "over", resolved("over"))
    for number in range(1, 7):
        book.take(0, number, f"a{number}", alert(f"a{number}"))
    assert book.get("over") is None
    assert book.dropped > 0
    assert book.is_forgotten({0: 0})
    assert not book.is_forgotten({0: 7})
    assert Subscription(book, Selection(), "now", {0: 0}).has_gap


def test_thinning_keeps_the_last_word_on_every_alert() -> None:
    book = AlertBook(alerts=10, replaced=2, slack=5)
    for revision in range(1, 100):
        book.take(0, revision, "a1", alert("a1", revision))
    book.take(0, 100, "a2", alert("a2"))
    assert {word.alert["id"]: word.alert["revision"] for word in book.missed({0: 1})}["a1"] == 99
    assert len(book.missed({})) <= 18


@given(_SENT, st.integers(0, 60), st.integers(0, 60))
def test_who_is_cut_off_anywhere_and_comes_again_has_the_last_word_on_every_alert(
    sent: list[tuple[int, int]], cut_at: int, forgotten_at: int
) -> None:
    book, offsets, revisions, seen = AlertBook(alerts=20, replaced=3, slack=3), {0: 0, 1: 0, 2: 0}, {}, {}

    def send(pairs: list[tuple[int, int]], into: AlertBook) -> None:
        for partition, number in pairs:
            name = f"{partition}-{number}"
            revisions[name] = revisions.get(name, 0) + 1
            into.take(partition, offsets[partition], name, alert(name, revisions[name]))
            offsets[partition] += 1

    subscription = Subscription(book, Selection(), "beginning")
    send(sent[:cut_at], book)
    position = subscription.position
    for word, after in subscription.take()[:forgotten_at]:
        seen[word.alert["id"]] = word.alert["revision"]
        position = after
    send(sent[cut_at:], book)
    again = Subscription(book, Selection(), "now", parse_position(position_text(position)) if position else {})
    while words := again.take():
        for word, _ in words:
            seen[word.alert["id"]] = word.alert["revision"]
    assert seen == revisions
    assert again.position == book.position


def test_a_topic_that_was_made_anew_is_given_out_whole() -> None:
    book = _filled(4)
    subscription = Subscription(book, Selection(), "now", {0: 90, 1: 2})
    assert [word.alert["id"] for word, _ in subscription.take()] == ["a0", "a2"]


def test_what_is_not_asked_for_moves_the_position() -> None:
    book = _filled(4)
    subscription = Subscription(book, Selection(severity=("low",)), "beginning")
    assert subscription.take() == []
    assert subscription.position == {0: 2, 1: 2}


@given(st.dictionaries(st.integers(0, 9999), st.integers(0, 2**63 - 1), min_size=1, max_size=50))
def test_a_position_is_read_back_as_it_was(position: dict[int, int]) -> None:
    assert parse_position(position_text(position)) == position


@pytest.mark.parametrize("text", ["", "x", "1", "1:", "-1:2", "1:2,", "1:²", "1:2" * 9000])
def test_what_is_no_position_of_ours_is_refused(text: str) -> None:
    with pytest.raises(PositionError):
        parse_position(text)
