"""Pauses before another try: bounded, spread, and long where trying soon is of no use."""

from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.api.backoff import Backoff
from agents.errors import MissingError, ReadError, RightsError


def test_pauses_double_up_to_a_bound_and_begin_anew_after_a_success() -> None:
    backoff = Backoff()
    assert [backoff.next_seconds(ReadError(), 0) for _ in range(5)] == [0.25, 0.5, 1.0, 2.0, 2.0]
    backoff.reset()
    assert backoff.next_seconds(ReadError(), 0) == 0.25


@given(st.floats(0, 1), st.integers(1, 40))
def test_chance_cuts_a_pause_by_half_at_most(share: float, failures: int) -> None:
    exact, spread = Backoff(), Backoff()
    for _ in range(failures):
        whole = exact.next_seconds(ReadError(), 0)
        assert whole / 2 <= spread.next_seconds(ReadError(), share) <= whole


def test_a_refusal_and_a_missing_kind_are_asked_about_rarely() -> None:
    backoff = Backoff()
    assert backoff.next_seconds(RightsError(), 1) >= 5
    assert backoff.next_seconds(MissingError(), 1) >= 5
    assert backoff.next_seconds(ReadError(), 0) == 0.25
