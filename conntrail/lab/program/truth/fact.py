"""What a client did and saw: connections, and what was said on them. Lines of the truth. Pure."""

import ipaddress
import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from conntrail.lab.program.task import Order

ANSWERED: Final = "answered"
REFUSED: Final = "refused"
TIMEOUT: Final = "timeout"
UNREACHABLE: Final = "unreachable"
NO_ANSWER: Final = "TIMEOUT"
"""Response code of a question that nobody answered."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Who called whom."""

    protocol: str
    """tcp, udp, icmp or ipv6-icmp."""
    source_address: str
    source_port: int
    dialled_address: str
    dialled_port: int


@dataclass(frozen=True, slots=True)
class Connection:
    """One socket, from its first packet to its last."""

    layer: ClassVar = "connection"
    ends: Ends
    service: str
    servers: tuple[str, ...]
    expected: str
    policy: str
    direction: str
    domain: str
    """Full name whose address was called; empty when an address was."""
    started_at_ns: int
    ended_at_ns: int
    sent: int
    received: int
    outcome: str


@dataclass(frozen=True, slots=True)
class DnsExchange:
    """One question and its answer."""

    layer: ClassVar = "dns"
    ends: Ends
    name: str
    type: str
    code: str
    answers: tuple[str, ...]
    is_truncated: bool
    latency_us: int | None
    """By the kernel's time of the answer; None without one."""
    started_at_ns: int


@dataclass(frozen=True, slots=True)
class HttpExchange:
    """One request and its response."""

    layer: ClassVar = "http"
    ends: Ends
    method: str
    host: str
    path: str
    template: str
    user_agent: str
    request_id: str
    trace_parent: str
    status: int
    """0 when no response came."""
    latency_us: int | None
    """To the first packet of the response."""
    started_at_ns: int


@dataclass(frozen=True, slots=True)
class TlsHello:
    """What a client said as it began TLS, and what was agreed."""

    layer: ClassVar = "tls"
    ends: Ends
    sni: str
    alpn: tuple[str, ...]
    """Offered."""
    chosen_alpn: str
    version: str
    """Agreed; empty when the handshake failed."""
    started_at_ns: int


Fact = Connection | DnsExchange | HttpExchange | TlsHello


def line(order: Order, fact: Fact) -> bytes:
    """One line of the truth; connections are told by their first field."""
    values = asdict(fact)
    ends = values.pop("ends")
    version = ipaddress.ip_address(fact.ends.dialled_address).version
    client = {"namespace": order.namespace, "pod": order.pod, "uid": order.uid, "workload": order.workload}
    document: dict[str, Any] = {"layer": fact.layer, "client": client, "family": f"ipv{version}", **ends, **values}
    return json.dumps(document).encode() + b"\n"


CONNECTION_START: Final = b'{"layer": "connection"'
"""With which each line of a connection begins."""
