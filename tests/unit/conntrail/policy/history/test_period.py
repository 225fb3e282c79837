import pytest

from conntrail.errors import CommandError
from conntrail.policy.history.period import Period, parse_period

NOW = 1_795_458_720_000


def test_a_duration_is_counted_back_from_now() -> None:
    assert parse_period("24h", "", NOW) == Period(NOW - 86_400_000, NOW)


def test_times_without_a_zone_are_utc() -> None:
    assert parse_period("1970-01-01T00:00:01", "1970-01-01T02:00:02+02:00", NOW) == Period(1000, 2000)


@pytest.mark.parametrize("since", ["999999d", "800000d", "1000000000000d", "0001-01-01"])
def test_a_period_begins_in_1970_at_the_earliest(since: str) -> None:
    period = parse_period(since, "", NOW)
    assert period == Period(0, NOW)
    assert str(period).startswith("1970-01-01T00:00:00Z to ")


def test_a_day_without_dashes_is_a_day_and_no_number_of_seconds() -> None:
    assert parse_period("20260131", "", NOW) == parse_period("2026-01-31", "", NOW)


@pytest.mark.parametrize("since", ["yesterday", "-1h", "1w", "90", "1.5"])
def test_an_unclear_time_is_refused_with_what_is_expected(since: str) -> None:
    with pytest.raises(CommandError, match="expected a duration such as 24h"):
        parse_period(since, "", NOW)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(CommandError, match="is not before --until"):
        parse_period("1h", "2h", NOW)


def test_the_end_belongs_to_a_period_and_the_begin_does_not() -> None:
    period = Period(10, 20)
    assert [at for at in (9, 10, 11, 20, 21) if period.holds(at)] == [11, 20]
