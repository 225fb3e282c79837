"""Decides at which processes to look for network namespaces: at new ones and young ones always, at others seldom.

A process enters its pod's namespace in its first moments, if not before it begins; afterwards hardly any does. To look
at each of a node's hundreds of processes twice a second would cost more than all that is done with the answers.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

_YOUNG_SECONDS: Final = 2.0
_LOOK_AGAIN_SECONDS: Final = 10.0
NOWHERE: Final = 0
"""Not an inode: the process may not be looked at, or has ended."""


@dataclass(slots=True)
class _Sighting:
    namespace: int
    first_at: float
    due_at: float


class Sightings:
    """Processes by name of their directory in procfs, and the inode of the namespace that each was seen in."""

    def __init__(self) -> None:
        self._seen: dict[str, _Sighting] = {}

    def due(self, processes: Collection[str], now: float) -> list[str]:
        """Those to look at now; ``processes`` are all that there are, the others are forgotten."""
        known = self._seen
        self._seen = {process: known[process] for process in processes if process in known}
        return [process for process in processes if (seen := self._seen.get(process)) is None or now >= seen.due_at]

    def note(self, process: str, namespace: int, now: float) -> None:
        """Remember where a process was seen."""
        before = self._seen.get(process)
        first_at = before.first_at if before else now
        due_at = now if now - first_at < _YOUNG_SECONDS else now + _LOOK_AGAIN_SECONDS
        self._seen[process] = _Sighting(namespace, first_at, due_at)

    def namespaces(self) -> dict[int, str]:
        """Each namespace and one of the processes in it."""
        return {seen.namespace: process for process, seen in self._seen.items() if seen.namespace != NOWHERE}
