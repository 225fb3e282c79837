"""Which days are written, and where they belong in the chain."""

from datetime import date
from pathlib import Path

import pytest

from conntrail.errors import CommandError
from conntrail.report.chain.manifest import Entry
from conntrail.report.chain.plan import day_of, days, latest, period_of, place, require_scope
from conntrail.report.fact.facts import Scope

TODAY = date(2026, 2, 3)


def entry(day: int, sequence: int | None, *, revision: int = 0, previous: str = "") -> Entry:
    return Entry(Scope("prod"), date(2026, 1, day), revision, sequence, previous, 0, ())


CHAIN = [entry(29, 0), entry(30, 1), entry(31, None)]


def test_a_chain_begins_with_yesterday() -> None:
    assert days([], None, None, TODAY) == [date(2026, 2, 2)]


def test_a_chain_goes_on_where_it_ended_up_to_yesterday() -> None:
    assert days(CHAIN, None, None, TODAY) == [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2)]


def test_a_day_that_was_provisional_at_first_is_not_passed_over() -> None:
    assert days([entry(31, None)], None, None, date(2026, 2, 2))[0] == date(2026, 1, 31)


def test_a_chain_that_has_every_day_has_nothing_to_do() -> None:
    assert days([entry(31, 0)], None, None, date(2026, 2, 1)) == []


def test_days_are_given_with_the_last_not_included() -> None:
    assert days(CHAIN, date(2026, 1, 29), date(2026, 1, 31), TODAY) == [date(2026, 1, 29), date(2026, 1, 30)]
    assert days([], TODAY, None, TODAY) == [TODAY]


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (date(2026, 1, 31), date(2026, 1, 31), "--until is the day after the last"),
        (date(2026, 2, 3), date(2026, 2, 5), "2026-02-04 has not begun"),
        (date(2026, 2, 9), None, "2026-02-09 has not begun"),
    ],
)
def test_days_that_cannot_be_are_refused(since: date, until: date | None, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        days([], since, until, TODAY)


def test_the_next_day_follows_the_last_entry() -> None:
    where = place(CHAIN, date(2026, 1, 31), is_final=True)
    assert (where.revision, where.sequence, where.previous) == (0, 2, CHAIN[1].sha256)


def test_a_day_that_is_there_is_amended_at_the_end_of_the_chain() -> None:
    where = place(CHAIN, date(2026, 1, 29), is_final=True)
    assert (where.revision, where.sequence, where.previous) == (1, 2, CHAIN[1].sha256)
    again = place([*CHAIN, entry(29, 2, revision=1)], date(2026, 1, 29), is_final=True)
    assert (again.revision, again.sequence) == (2, 3)


@pytest.mark.parametrize("day", [date(2026, 2, 1), date(2026, 1, 28)])
def test_a_chain_gets_no_hole(day: date) -> None:
    with pytest.raises(CommandError, match="the next day of this chain is 2026-01-31"):
        place(CHAIN, day, is_final=True)


def test_a_provisional_day_has_no_place() -> None:
    assert place(CHAIN, date(2026, 2, 1), is_final=False).sequence is None


def test_the_latest_of_a_day_is_its_last_amendment() -> None:
    amendment = entry(29, 2, revision=1)
    assert latest([*CHAIN, amendment], date(2026, 1, 29)) is amendment
    assert latest(CHAIN, date(2026, 1, 31)) is None


def test_a_directory_is_of_one_scope(tmp_path: Path) -> None:
    require_scope(CHAIN, Scope("prod"), str(tmp_path))
    with pytest.raises(CommandError, match="holds reports of cluster prod, not of namespace shop of cluster prod"):
        require_scope(CHAIN, Scope("prod", "shop"), str(tmp_path))


def test_a_day_is_from_midnight_to_midnight_in_utc() -> None:
    period = period_of(date(2026, 1, 31))
    assert str(period) == "2026-01-31T00:00:00Z to 2026-02-01T00:00:00Z"
    assert (day_of(period.since_ms), day_of(period.until_ms - 1), day_of(period.until_ms)) == (
        date(2026, 1, 31), date(2026, 1, 31), date(2026, 2, 1),
    )  # fmt: skip
