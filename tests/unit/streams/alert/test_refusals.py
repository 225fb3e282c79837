"""Refusals and denials that are told at once, ahead of their windows."""

from dataclasses import replace

import pytest

from tests.unit.streams.alert.builders import (
    CHECKOUT,
    DATABASE,
    FRONTEND,
    HOUR,
    MINUTE,
    SECOND,
    SETTLED,
    World,
    denial,
    dns,
    settled,
    window,
)


def refusals(made: World, *, seconds: int, every: int = 1, mode: str = "refused", begun: int = 0) -> None:
    """Told at once, each by both nodes."""
    for number in range(0, seconds, every):
        at = SETTLED + number * SECOND
        for _ in range(2):
            signal = denial(made, FRONTEND, DATABASE, at=at, seconds=0, denied=0, denied_by=(), identity=f"r{number}")
            made.take(replace(signal, action="failed", mode=mode, failed=1, begun=begun))
        made.advance(at + SECOND)


def test_refusals_that_are_told_at_once_open_when_nothing_else_can_have_got_through() -> None:
    made = settled()
    refusals(made, seconds=15)
    (alert,) = made.records
    assert (alert["rule"], alert["count"]) == ("communication-break", 11)


def test_refusals_open_within_seconds_when_all_that_the_client_tried_was_refused() -> None:
    made = settled()
    refusals(made, seconds=3, begun=1)
    made.advance(SETTLED + 4 * SECOND)
    (alert,) = made.records
    assert (alert["rule"], alert["count"], alert["started_at_ns"]) == ("communication-break", 3, SETTLED)


def test_a_break_after_refusals_among_connections_that_got_through_began_when_none_did() -> None:
    made = settled()
    refusals(made, seconds=5, begun=9)
    for number in range(6, 10):
        signal = denial(made, FRONTEND, DATABASE, at=SETTLED + number * SECOND, seconds=0, denied=0, denied_by=())
        made.take(replace(signal, action="failed", mode="refused", failed=1, begun=1))
        made.advance(SETTLED + number * SECOND)
    made.advance(SETTLED + 11 * SECOND)
    (alert,) = made.records
    assert SETTLED + 4 * SECOND - 1 <= alert["started_at_ns"] <= SETTLED + 6 * SECOND


def test_a_window_that_is_told_before_its_end_holds_up_no_alert() -> None:
    made = settled()
    made.engine.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED), SETTLED)
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.advance(SETTLED + 3 * SECOND)
    assert [record["rule"] for record in made.records] == ["communication-break"]


def test_a_service_that_has_lost_all_endpoints_is_told_of_within_seconds() -> None:
    made = settled()
    refusals(made, seconds=5, mode="no_endpoints")
    assert [record["message"] for record in made.records] == [
        "shop/frontend no longer reaches data/db:5432/tcp: no_endpoints"
    ]


@pytest.mark.parametrize(
    ("seconds", "every", "begun"), [(8, 1, 0), (50, 15, 0), (8, 1, 2), (50, 1, 2), (50, 15, 16), (50, 15, 1)]
)
def test_refusals_of_a_rollout_or_now_and_then_open_nothing(seconds: int, every: int, begun: int) -> None:
    """One connection a second gets through otherwise."""
    made = settled()
    for minute in range(10):
        made.window(at=SETTLED - (20 - minute) * MINUTE, started=60)
    refusals(made, seconds=seconds, every=every, begun=begun)
    made.window(at=SETTLED)
    made.advance(SETTLED + 2 * MINUTE)
    assert made.records == []


def test_what_both_nodes_tell_counts_once() -> None:
    made = settled()
    for number in range(3):
        made.take(denial(made, FRONTEND, DATABASE, at=SETTLED, identity="same", denied=4))
        made.advance(SETTLED + (number + 1) * 10 * SECOND)
    assert [record["count"] for record in made.records] == [4]


def test_a_burst_of_single_denials_is_counted_whole() -> None:
    made = settled()
    for number in range(1500):
        made.take(denial(made, CHECKOUT, DATABASE, at=SETTLED + number * SECOND // 10, seconds=0, denied=1))
    made.advance(SETTLED + 152 * SECOND)
    (state,) = [
        made.engine._known.edges._shelf.get(key) for key in made.engine._known.edges._shelf if "checkout" in key
    ]
    assert state is not None
    assert len(state.entries) <= 48
    assert sum(entry.denied for entry in state.entries) == 1500
    assert made.engine.counters.evicted_tallies == 0
    assert "denial-burst" in made.fired()


def test_a_clock_that_is_far_ahead_moves_nothing() -> None:
    made = settled()
    for signal in (denial(made, FRONTEND, DATABASE, at=SETTLED + HOUR), dns(made, "x.example", at=SETTLED + HOUR)):
        assert made.engine.take(signal) == []
    assert made.engine.counters.ahead == 2
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED))
    made.advance(SETTLED + 3 * SECOND)
    assert made.records[0]["started_at_ns"] == SETTLED
