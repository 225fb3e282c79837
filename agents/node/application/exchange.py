"""What is told of one request and its answer, or of one TLS connection's beginning."""

from dataclasses import dataclass, field
from typing import NamedTuple

from agents.node.payload.packet import End, Packet


class Ends(NamedTuple):
    """Both tuples of a connection and its zone, which tell it from every other on this node."""

    protocol: int
    zone: int
    client: End
    dialled: End
    server: End
    answered: End


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange. Without a request (it passed before the agent started, or was cut) the texts are empty."""

    ends: Ends
    protocol: str
    """http, http2, grpc or tls."""
    seen_at_ns: int
    """When it began, Unix time."""
    ended_at_ns: int
    """When its answer came; when it began, without one."""
    method: str = ""
    host: str = ""
    path: str = ""
    """Template."""
    status: int = 0
    """0 when no answer was seen."""
    latency_ns: int = -1
    """-1 when it is not known."""
    version: str = ""
    user_agent: str = ""
    request_id: str = ""
    trace_parent: str = ""
    tls_version: str = ""
    tls_protocols: tuple[str, ...] = field(default=())
    tls_ja4: str = ""


def ends_of(packet: Packet) -> Ends:
    """The connection that a packet belongs to."""
    return Ends(packet.protocol, packet.zone, packet.client, packet.dialled, packet.server, packet.answered)
