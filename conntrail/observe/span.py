"""The span of time that is asked for, from what people type."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from conntrail.observe.condition import FilterError
from runtime.unit import Seconds


@dataclass(frozen=True, slots=True)
class Span:
    """Unix times in ms, both included; None means open."""

    since_ms: int | None = None
    until_ms: int | None = None

    @classmethod
    def parse(cls, since: str, until: str, now: float, zone: tzinfo | None = UTC) -> "Span":
        """Each a duration back from ``now`` (Unix time, s), an ISO time, or empty. Raises FilterError.

        ``zone``: of times that name none; None is this machine's.
        """
        span = cls(_instant("--since", since, now, zone), _instant("--until", until, now, zone))
        if span.since_ms is not None and span.until_ms is not None and span.until_ms < span.since_ms:
            raise FilterError(f"--until {until} is before --since {since}: exchange them")
        return span

    @staticmethod
    def at_ms(stamp: str) -> int | None:
        """Unix time in ms of an ISO time; None of an empty one."""
        return _milliseconds(datetime.fromisoformat(stamp)) if stamp else None

    def holds(self, stamp: str) -> bool:
        """Whether an ISO time lies in it."""
        if self.since_ms is None and self.until_ms is None:
            return True
        at_ms = _milliseconds(datetime.fromisoformat(stamp))
        return (self.since_ms is None or at_ms >= self.since_ms) and (self.until_ms is None or at_ms <= self.until_ms)


def _instant(option: str, text: str, now: float, zone: tzinfo | None) -> int | None:
    if not text:
        return None
    try:
        return max(0, int((now - Seconds.parse_with_unit(text)) * 1000))
    except ValueError:
        pass
    try:
        return max(0, _milliseconds(datetime.fromisoformat(text), zone))
    except (ValueError, OverflowError) as error:
        raise FilterError(f"{option} {text}: expected a duration such as 10m, or 2026-01-31T12:00:00Z") from error


def _milliseconds(moment: datetime, zone: tzinfo | None = UTC) -> int:
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
