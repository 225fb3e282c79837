from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.delivery.answer import judge, parse_retry_after, wait_seconds

_NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, "taken"), (202, "taken"), (301, "never"), (400, "never"), (401, "never"), (404, "never"), (408, "later"),
     (429, "later"), (500, "later"), (503, "later"), (700, "later")],
)  # fmt: skip
def test_what_a_status_means(status: int, kind: str) -> None:
    assert judge(status, {}, "", _NOW).kind == kind


def test_the_reason_is_one_short_line() -> None:
    assert judge(400, {}, "no\nsuch\tkey", _NOW).reason == "status 400: no such key"
    assert len(judge(400, {}, "x" * 5000, _NOW).reason) < 250


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("999999999", 3600.0),
        ("Sat, 28 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("99999999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text, _NOW) == seconds


@given(st.text(max_size=60))
def test_any_retry_after_is_survived(text: str) -> None:
    found = parse_retry_after(text, _NOW)
    assert found is None or 0 <= found <= 3600


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_waits_grow_to_a_bound_and_are_never_less_than_half(failures: int, chance: float) -> None:
    assert wait_seconds(failures, 1) / 2 <= wait_seconds(failures, chance) <= 60
    assert wait_seconds(failures + 1, chance) >= wait_seconds(failures, chance)
