from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import StreamError
from streams.source.share import RefusalShare


def _after(outcomes: Sequence[bool], limit: float = 0.5) -> RefusalShare:
    """``outcomes``: whether each message was refused."""
    share = RefusalShare("some.topic", limit)
    for is_refused in outcomes:
        if is_refused:
            share.refuse("no batch")
        else:
            share.accept()
    return share


def _stops(share: RefusalShare) -> bool:
    try:
        share.check()
    except StreamError:
        return True
    return False


def test_too_few_prove_nothing() -> None:
    assert not _stops(_after([True] * 19))
    assert _stops(_after([True] * 20))


def test_half_is_not_more_than_half() -> None:
    assert not _stops(_after([True, False] * 100))
    assert _stops(_after([True, False] * 99 + [True, True]))


def test_what_was_bad_long_ago_is_forgotten() -> None:
    share = _after([False] * 181 + [True] * 19 + [False] * 200)
    assert share.value == 0.0
    assert not _stops(share)


def test_good_messages_before_do_not_hide_a_beginning_flood() -> None:
    assert _stops(_after([False] * 10_000 + [True] * 101))


@given(st.lists(st.booleans(), max_size=500), st.floats(0.01, 1.0))
def test_the_share_is_that_of_the_last_messages(outcomes: list[bool], limit: float) -> None:
    share = _after(outcomes, limit)
    last = outcomes[-200:]
    assert share.value == (sum(last) / len(last) if last else 0.0)
    assert _stops(share) == (sum(last) >= 20 and sum(last) / len(last) > limit)


@given(st.lists(st.booleans(), max_size=500))
def test_at_one_nothing_is_too_much(outcomes: list[bool]) -> None:
    assert not _stops(_after(outcomes, 1.0))


def test_the_line_names_topic_reason_and_what_to_set() -> None:
    share = _after([True] * 30)
    share.refuse("broken\nin two")
    with pytest.raises(StreamError, match=r"31 of the last 31 messages of some\.topic .*: broken in two; .*SHARE=1"):
        share.check()
