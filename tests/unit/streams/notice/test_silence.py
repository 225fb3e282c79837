from typing import Any

import pytest

from streams.notice.notices import Notices
from streams.notice.silence import MAXIMUM_SILENCES, SilenceError, ended, holds_back, is_silenced, make_silence
from tests.support.alerts import AT_NS, alert, resolved, silence

_LATER = AT_NS + 10


@pytest.mark.parametrize(
    ("matchers", "holds"),
    [
        ({"rule": "communication-*"}, True),
        ({"namespace": "data", "port": "5432"}, True),
        ({"namespace": "data", "port": "80"}, False),
        ({"workload": "frontend"}, True),
        ({"severity": "critical"}, False),
        ({"domain": "*"}, False),
        ({}, False),
    ],
)
def test_all_matchers_must_hold(matchers: dict[str, str], holds: bool) -> None:
    assert holds_back(silence("s1", _LATER, **matchers), alert(), AT_NS) is holds


def test_a_silence_lasts_from_when_it_was_made_to_its_end() -> None:
    one = silence("s1", _LATER, rule="*break")
    assert [holds_back(one, alert(), at) for at in (AT_NS - 2, AT_NS - 1, _LATER - 1, _LATER)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not holds_back(ended(one, AT_NS), alert(), AT_NS)


def test_what_is_over_is_silenced_when_it_was_so_at_its_end() -> None:
    one = silence("s1", _LATER, rule="*break")
    assert is_silenced([one], resolved(resolved_at_ns=AT_NS + 5), _LATER + 100)
    assert not is_silenced([one], resolved(resolved_at_ns=_LATER + 5), _LATER + 100)
    assert is_silenced([], alert(silenced_until_ns=_LATER), AT_NS)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"matchers": {"rule": "x"}},
        {"matchers": {"rule": "x"}, "duration_seconds": True},
        {"matchers": {"rule": "x"}, "duration_seconds": float("nan")},
        {"matchers": {"rule": "x"}, "duration_seconds": 31 * 86400},
        {"matchers": {"rule": "*", "id": "??"}, "duration_seconds": 60},
        {"matchers": {"rule": 1}, "duration_seconds": 60},
        {"matchers": {"rule": "x" * 300}, "duration_seconds": 60},
        {"matchers": {"rule": "x"}, "duration_seconds": 60, "comment": 1},
        {"matchers": {"rule": "x"}, "duration_seconds": 60, "forever": True},
    ],
)
def test_a_silence_without_end_or_for_everything_is_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(SilenceError):
        make_silence("s1", "test", wish, AT_NS)


def test_silences_are_bounded_and_those_that_end_first_go() -> None:
    notices = Notices()
    for number in range(MAXIMUM_SILENCES + 1):
        notices.take_silence(f"s{number}", silence(f"s{number}", AT_NS + number))
    assert len(notices.silences) == MAXIMUM_SILENCES
    assert "s0" not in notices.silences
