"""What the two sources of objects have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agents.cluster.inventory import Inventory, Update


@dataclass(frozen=True, slots=True)
class Taken:
    """What a source gave."""

    updates: list[Update]
    told_at_ns: int
    """When the oldest of it was told, Unix time in ns."""
    events: Sequence[Mapping[str, Any]] = ()
    """Kubernetes Event objects, as they are now."""


class Source(Protocol):
    """Gives objects to an inventory."""

    def start(self, inventory: Inventory) -> Taken:
        """List everything, and begin to follow. Raises AgentError when that cannot be."""

    def take(self, inventory: Inventory) -> Taken | None:
        """Give what has come since, after a short wait for it; None when nothing has."""

    def stop(self) -> None:
        """Follow no more."""

    def faults(self) -> list[str]:
        """Why changes may be missed at present."""
