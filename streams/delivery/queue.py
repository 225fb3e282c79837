"""Which alerts one receiver is still to be told of, and when each may be tried (again). Times are monotonic seconds.

Only ids are held: what is said is what the alert says when its turn comes. An alert that is not taken stands back, so
that one that a receiver cannot digest does not hold up the others.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

_MAXIMUM: Final = 100_000
"""Twice the alerts that are known at once."""


@dataclass(slots=True)
class Waiting:
    """One alert's tries."""

    since: float
    failures: int = 0
    not_before: float = 0.0


class DeliveryQueue:
    """In the order in which the alerts came, those that failed behind."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, alert_id: str, now: float) -> bool:
        """An alert has news; tries that failed count on. False when there is no room."""
        if alert_id not in self._waiting and len(self._waiting) >= _MAXIMUM:
            return False
        self._waiting.setdefault(alert_id, Waiting(now))
        return True

    def ready(self, now: float, count: int) -> list[str]:
        """The next that may be tried."""
        found: list[str] = []
        for alert_id, waiting in self._waiting.items():
            if waiting.not_before <= now:
                found.append(alert_id)
                if len(found) == count:
                    break
        return found

    def done(self, alert_id: str) -> None:
        """Told, or nothing more to tell."""
        self._waiting.pop(alert_id, None)

    def failed(self, alert_id: str, now: float) -> Waiting:
        """Count a try that failed, and put the alert behind the others; the caller says until when it stands back."""
        waiting = self._waiting.pop(alert_id, Waiting(now))
        waiting.failures += 1
        self._waiting[alert_id] = waiting
        return waiting

    def older(self, now: float, seconds: float) -> list[str]:
        """Those that have waited for so long."""
        return [alert_id for alert_id, waiting in self._waiting.items() if now - waiting.since >= seconds]

    def next_at(self) -> float:
        """When the first may be tried; infinite when none waits."""
        return min((waiting.not_before for waiting in self._waiting.values()), default=inf)
