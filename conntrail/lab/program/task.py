"""What programs in pods are told to do, and what they say and write down. Values only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

LISTENING: Final = b"listening\n"
"""What a server writes to its standard output once every port can be called."""


@dataclass(frozen=True, slots=True)
class Task:
    """Call one target again and again."""

    kind: str
    """http, keep (one HTTP connection for the whole time), tcp, tcp6, udp, udp6, dns, ping or ping6."""
    address: str
    port: int
    every: float
    """Seconds between calls."""
    bytes: int = 100
    expect: str = "allowed"
    """allowed, denied or refused (nobody listens)."""
    by: str = ""
    """Policy that denies, namespace/name."""
    direction: str = ""
    service: str = ""
    """Service that is dialled, namespace/name."""
    servers: tuple[str, ...] = ()
    """Pods that may answer, namespace/name."""


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that one client process needs to know."""

    namespace: str
    pod: str
    uid: str
    workload: str
    address: str
    address6: str
    seconds: float
    truth: str
    """File that lines of the truth are appended to."""
    tasks: tuple[Task, ...] = field(default=())
    is_once: bool = False

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def order_of(document: Mapping[str, Any]) -> Order:
    """Inverse of ``document``."""
    tasks = tuple(Task(**{**task, "servers": tuple(task["servers"])}) for task in document["tasks"])
    return Order(**{**document, "tasks": tasks})
