"""How far another clock is from ours. Pure."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from conntrail.doctor.finding import Check, Finding

LIMIT_SECONDS: Final = 2.0
"""Both nodes' reports of a connection are joined by time, and a step lasts 10 s."""
LOST: Final = "times that agree: windows close late or early, and ends of connections are joined less surely"
REMEDY: Final = "keep the clocks of all machines by NTP or PTP (chrony, systemd-timesyncd)"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What another clock said, and when it was asked and its answer read by ours (Unix time, s)."""

    said: float
    resolution: float
    """It may have been later by less than that."""
    asked_at: float
    read_at: float


def parse_date(header: str, asked_at: float, read_at: float) -> Sighting | None:
    """By the Date header of an answer (RFC 9110, 6.6.1), which has whole seconds; None where it is no date."""
    try:
        return Sighting(parsedate_to_datetime(header).timestamp(), 1.0, asked_at, read_at)
    except ValueError:
        return None


def difference(sighting: Sighting) -> float:
    """Seconds that the other clock is at least ahead of ours (negative: behind); 0 where it may be the same."""
    earliest = sighting.said - sighting.read_at
    latest = sighting.said + sighting.resolution - sighting.asked_at
    return earliest if earliest > 0 else min(latest, 0.0)


def judge_clock(check: Check, sighting: Sighting | None, whose: str) -> Finding:
    """``whose`` clock: the server's name."""
    if sighting is None:
        return check.skipped(f"{whose} does not tell us its time")
    apart = difference(sighting)
    if abs(apart) <= LIMIT_SECONDS:
        return check.ok(f"within {LIMIT_SECONDS:g} s of {whose}'s")
    return check.degraded(f"{whose}'s clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} ours")
