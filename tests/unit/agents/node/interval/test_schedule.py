from hypothesis import given
from hypothesis import strategies as st

from agents.node.interval.schedule import Schedule, Span

SECOND = 10**9
INTERVAL = 10 * SECOND
NOW = 1_700_000_003 * SECOND  # three seconds into an interval
BOUNDARY = 1_700_000_010 * SECOND


def test_the_first_interval_is_short_and_the_next_are_aligned() -> None:
    schedule = Schedule(INTERVAL, NOW)
    assert schedule.wait_ns(NOW) == 7 * SECOND
    assert schedule.cut(BOUNDARY + 5) == Span(NOW, BOUNDARY, 0, False)
    assert schedule.cut(BOUNDARY + INTERVAL) == Span(BOUNDARY, BOUNDARY + INTERVAL, 0, False)


def test_intervals_slept_through_are_counted() -> None:
    schedule = Schedule(INTERVAL, NOW)
    span = schedule.cut(BOUNDARY + 3 * INTERVAL + 1)
    assert span == Span(BOUNDARY + 2 * INTERVAL, BOUNDARY + 3 * INTERVAL, 3, False)
    assert schedule.cut(BOUNDARY + 4 * INTERVAL).missed == 0


def test_a_restart_within_an_interval_continues_it() -> None:
    schedule = Schedule(INTERVAL, NOW + SECOND, resumed_end_ns=NOW)
    assert schedule.cut(BOUNDARY) == Span(NOW, BOUNDARY, 0, False)


def test_down_time_is_missed_and_not_reported_as_quiet() -> None:
    schedule = Schedule(INTERVAL, NOW + 25 * SECOND, resumed_end_ns=NOW)
    assert schedule.cut(BOUNDARY + 2 * INTERVAL) == Span(BOUNDARY + INTERVAL, BOUNDARY + 2 * INTERVAL, 2, False)


def test_a_clock_set_far_back_begins_anew() -> None:
    schedule = Schedule(INTERVAL, NOW)
    schedule.cut(BOUNDARY)
    earlier = NOW - 3600 * SECOND
    schedule.note_clock(earlier)
    span = schedule.cut(earlier + INTERVAL)
    assert span.is_clock_stepped
    assert (span.start_ns, span.end_ns) == (earlier, BOUNDARY - 3600 * SECOND)


def test_a_clock_set_back_a_little_only_delays() -> None:
    schedule = Schedule(INTERVAL, NOW)
    schedule.cut(BOUNDARY)
    schedule.note_clock(BOUNDARY - SECOND)
    assert schedule.cut(BOUNDARY + INTERVAL) == Span(BOUNDARY, BOUNDARY + INTERVAL, 0, False)


def test_the_last_interval_ends_now() -> None:
    schedule = Schedule(INTERVAL, NOW)
    assert schedule.cut_short(NOW + SECOND) == Span(NOW, NOW + SECOND, 0, False)
    assert schedule.cut_short(NOW) == Span(NOW + SECOND, NOW + SECOND + 1, 0, False)


def test_a_state_from_the_future_is_no_reason_to_wait_for_it() -> None:
    span = Schedule(INTERVAL, NOW, resumed_end_ns=NOW + 3600 * SECOND).cut(BOUNDARY)
    assert span == Span(NOW, BOUNDARY, 0, True)


@given(
    st.integers(1, 3600 * SECOND),
    st.integers(0, 2**61),
    st.lists(st.integers(-(2**40), 2**45), max_size=30),
    st.one_of(st.none(), st.integers(0, 2**61)),
)
def test_whatever_the_clock_does_no_interval_is_reversed_or_longer_than_one(
    interval_ns: int, now_ns: int, moves: list[int], resumed_end_ns: int | None
) -> None:
    schedule = Schedule(interval_ns, now_ns, resumed_end_ns)
    previous_end = None
    for move in moves:
        now_ns = max(0, now_ns + move)
        schedule.note_clock(now_ns)
        if schedule.wait_ns(now_ns):
            continue
        span = schedule.cut(now_ns)
        assert span.start_ns < span.end_ns <= span.start_ns + interval_ns
        assert span.end_ns % interval_ns == 0
        assert span.missed >= 0
        if previous_end is not None and not span.is_clock_stepped:
            assert span.start_ns == previous_end + span.missed * interval_ns
        previous_end = span.end_ns
    last = schedule.cut_short(now_ns)
    assert last.start_ns < last.end_ns
