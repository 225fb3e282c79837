from zoneinfo import ZoneInfo

import pytest

from conntrail.observe.condition import FilterError
from conntrail.observe.span import Span

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("10m", 1_799_999_400_000),
        ("1.5s", 1_799_999_998_500),
        ("2027-01-15T08:00:00Z", 1_800_000_000_000),
        ("2027-01-15T08:00:00", 1_800_000_000_000),
        ("2027-01-15 10:00:00+02:00", 1_800_000_000_000),
        ("2027-01-15T03:30:00-04:30", 1_800_000_000_000),
        ("2027-01-15", 1_799_971_200_000),
        ("20270115", 1_799_971_200_000),
        ("99999999d", 0),
        ("0001-01-01", 0),
    ],
)
def test_an_instant_is_a_duration_back_or_a_time_in_any_zone(text: str, milliseconds: int) -> None:
    assert Span.parse(text, "", NOW) == Span(milliseconds, None)
    assert Span.parse("", text, NOW) == Span(None, milliseconds)


@pytest.mark.parametrize("text", ["90", "1.5", " 90 ", "0", "20279999"])
def test_a_number_without_a_unit_is_no_duration(text: str) -> None:
    with pytest.raises(FilterError, match=r"--since .*: expected a duration such as 10m"):
        Span.parse(text, "", NOW)


def test_a_span_that_ends_before_it_begins_is_a_mistake() -> None:
    with pytest.raises(FilterError, match="--until 2h is before --since 1h"):
        Span.parse("1h", "2h", NOW)


def test_a_span_holds_its_bounds_and_nothing_beyond() -> None:
    span = Span.parse("2026-11-23T18:32:00.123Z", "2026-11-23T18:32:01Z", NOW)
    held = [stamp for stamp in (
        "2026-11-23T18:32:00.122Z", "2026-11-23T18:32:00.123Z", "2026-11-23T18:32:01.000Z", "2026-11-23T18:32:01.001Z",
    ) if span.holds(stamp)]  # fmt: skip
    assert held == ["2026-11-23T18:32:00.123Z", "2026-11-23T18:32:01.000Z"]
    assert Span().holds("2026-11-23T18:32:00.122Z")


def test_a_time_without_a_zone_is_of_the_zone_that_is_asked_for() -> None:
    lima = ZoneInfo("America/Lima")
    assert Span.parse("2027-01-15T03:00:00", "2027-01-15T08:00:00Z", NOW, lima) == Span(
        int(NOW * 1000), int(NOW * 1000)
    )
