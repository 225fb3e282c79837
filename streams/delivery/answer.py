"""What an answer means for a delivery, and how long to wait before the next try."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

_FIRST_WAIT_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 60.0
_LONGEST_ASKED_SECONDS: Final = 3600.0
"""Beyond this a Retry-After is not believed."""
_DOUBLINGS: Final = 12
_GOOD: Final = range(200, 300)
_REDIRECTION: Final = range(300, 400)
_REFUSAL: Final = range(400, 500)
_PASSING: Final = (408, 429)
_SHOWN_LETTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one try."""

    kind: Literal["taken", "later", "never"]
    reason: str = ""
    wait_seconds: float | None = None
    """What the receiver asks to wait; None when it does not say."""


def judge(status: int, headers: Mapping[str, str], body: str, now: datetime) -> Verdict:
    """Of an answer (RFC 9110): 2xx is taken; 4xx but 408 and 429 will never be, nor what is redirected."""
    reason = f"status {status}: {' '.join(body.split())[:_SHOWN_LETTERS]}".rstrip(": ")
    if status in _GOOD:
        return Verdict("taken")
    if status in _REDIRECTION:
        return Verdict("never", f"{reason}: redirections are not followed, give the address they lead to")
    if status in _REFUSAL and status not in _PASSING:
        return Verdict("never", reason)
    return Verdict("later", reason, parse_retry_after(headers.get("Retry-After", ""), now))


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Seconds to wait, given as such or as a date (RFC 9110 section 10.2.3); None when it says nothing."""
    if text.isascii() and text.isdigit() and len(text) < 10:  # noqa: PLR2004 - a number that is one
        return min(float(text), _LONGEST_ASKED_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), _LONGEST_ASKED_SECONDS)


def wait_seconds(failures: int, chance: float) -> float:
    """After so many failures in a row, at least one: twice as long each time, of which ``chance`` (0 to 1) takes half.

    Half is fixed, so that a receiver that fails is never hammered; the rest spreads those who were cut off together.
    """
    whole = min(_FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, _DOUBLINGS), _LONGEST_WAIT_SECONDS)
    return whole / 2 + whole / 2 * chance
