"""Which days are to be written, and as which entry of the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from conntrail.errors import CommandError
from conntrail.policy.history.period import Period
from conntrail.report.chain.check import chained
from conntrail.report.chain.manifest import Entry
from conntrail.report.evidence.report import MS_PER_SECOND
from conntrail.report.fact.facts import Scope

DAY_MS = 86_400_000
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry belongs."""

    revision: int
    sequence: int | None
    previous: str


def day_of(at_ms: int) -> date:
    """The UTC day of a Unix time in ms."""
    return datetime.fromtimestamp(at_ms // MS_PER_SECOND, UTC).date()


def period_of(day: date) -> Period:
    """From midnight to midnight, UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    start_ms = int(start.timestamp()) * MS_PER_SECOND
    return Period(start_ms, start_ms + DAY_MS)


def days(entries: Sequence[Entry], since: date | None, until: date | None, today: date) -> list[date]:
    """From ``since``, by default where the chain goes on, up to before ``until``, by default today.

    Raises CommandError when there is none, or one that has not begun.
    """
    first = since or _next_day(entries) or today - _ONE_DAY
    end = until or max(today, first + _ONE_DAY) if since else until or today
    if since is None and until is None and first >= end:
        return []
    if first >= end:
        raise CommandError(f"from {first} to {end} there is no day: --until is the day after the last one")
    if end > today + _ONE_DAY:
        raise CommandError(f"{end - _ONE_DAY} has not begun: give --until {today} or an earlier day")
    return [first + number * _ONE_DAY for number in range((end - first).days)]


def _next_day(entries: Sequence[Entry]) -> date | None:
    """The day after the chain's last; before there is a chain, the first provisional one."""
    last = max((entry.day for entry in chained(entries)), default=None)
    return last + _ONE_DAY if last is not None else min((entry.day for entry in entries), default=None)


def require_scope(entries: Sequence[Entry], scope: Scope, directory: str) -> None:
    """One directory, one scope. Raises CommandError."""
    for entry in entries:
        if entry.scope != scope:
            raise CommandError(f"{directory} holds reports of {entry.scope}, not of {scope}: give another --directory")


def latest(entries: Sequence[Entry], day: date) -> Entry | None:
    """The last final report of a day."""
    return max(
        (entry for entry in chained(entries) if entry.day == day), key=lambda entry: entry.revision, default=None
    )


def place(entries: Sequence[Entry], day: date, *, is_final: bool) -> Place:
    """Of a report of a day. Raises CommandError when the chain would get a hole."""
    if not is_final:
        return Place(0, None, "")
    chain = chained(entries)
    known = latest(entries, day)
    if known is None and chain:
        wanted = max(entry.day for entry in chain) + _ONE_DAY
        if day != wanted:
            raise CommandError(f"the next day of this chain is {wanted}, not {day}: give --since {wanted}")
    last = chain[-1] if chain else None
    return Place(
        revision=known.revision + 1 if known is not None else 0,
        sequence=0 if last is None or last.sequence is None else last.sequence + 1,
        previous=last.sha256 if last is not None else "",
    )
