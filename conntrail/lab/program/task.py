"""What programs in pods are told to do, and what they say. Values only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

LISTENING: Final = b"listening\n"
"""What a server writes to its standard output once every port can be called."""


@dataclass(frozen=True, slots=True)
class Task:
    """Call one target again and again."""

    kind: str
    """http, keep (one HTTP connection for the whole time), tcp, udp, dns, tls or ping; with a 6 at its end by IPv6."""
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
    resolve: str = ""
    """Name that is looked up before each call; its address is called."""
    host: str = ""
    """Of HTTP's Host field, and of TLS's server name."""
    method: str = "GET"
    paths: tuple[str, ...] = ("/items",)
    """Of HTTP, in turn; {id} and {uuid} are filled anew each time."""
    names: tuple[str, ...] = ()
    """That a task of kind dns asks for, in turn."""
    types: tuple[str, ...] = ("A", "AAAA")
    edns: int = 0
    """Bytes of a datagram that the client says it takes (RFC 6891); 0: it says nothing."""
    alpn: tuple[str, ...] = ("h2", "http/1.1")


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
    resolver: Task | None
    """The cluster's DNS service; None when it has none."""
    tasks: tuple[Task, ...] = ()
    is_once: bool = False

    @property
    def search(self) -> tuple[str, ...]:
        """Of the pod's resolv.conf."""
        return search_path(self.namespace)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def search_path(namespace: str) -> tuple[str, ...]:
    """Of the resolv.conf that Kubernetes writes for pods of a namespace."""
    return f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local"


def order_of(document: Mapping[str, Any]) -> Order:
    """Inverse of ``document``."""
    return msgspec.convert(document, Order)
