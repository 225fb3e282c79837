"""A span of time as a user gives it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from conntrail.errors import CommandError
from runtime.unit import Seconds

_MS_PER_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Period:
    """Documents after ``since_ms`` up to ``until_ms``, both Unix time in ms."""

    since_ms: int
    until_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether an instant belongs to it."""
        return self.since_ms < at_ms <= self.until_ms

    def __str__(self) -> str:
        return f"{instant_text(self.since_ms)} to {instant_text(self.until_ms)}"


def parse_period(since: str, until: str, now_ms: int) -> Period:
    """``10m`` ago or an ISO time each; no ``until`` means now. Raises CommandError that says what is expected."""
    period = Period(_instant("--since", since, now_ms), _instant("--until", until, now_ms) if until else now_ms)
    if period.since_ms >= period.until_ms:
        raise CommandError(f"--since {since} is not before --until {until or 'now'}")
    return period


def instant_text(at_ms: int) -> str:
    """UTC to the second."""
    return f"{datetime.fromtimestamp(at_ms // _MS_PER_SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _instant(option: str, text: str, now_ms: int) -> int:
    try:
        return max(0, now_ms - int(Seconds.parse_with_unit(text) * _MS_PER_SECOND))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * _MS_PER_SECOND))
    except (ValueError, OverflowError) as error:
        raise CommandError(f"{option} {text}: expected a duration such as 24h, or 2026-01-31T12:00:00Z") from error
