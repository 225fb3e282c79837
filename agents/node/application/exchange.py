"""What is told of one request and its answer, or of one TLS connection's beginning."""

from typing import Final, NamedTuple

from agents.node.application.head import RequestHead
from agents.node.payload.packet import End, Packet


class Ends(NamedTuple):
    """Both tuples of a connection and its zone, which tell it from every other on this node."""

    protocol: int
    zone: int
    client: End
    dialled: End
    server: End
    answered: End


class Offer(NamedTuple):
    """What a ClientHello offers."""

    version: str = ""
    """The highest: 1.3, 1.2, 1.1, 1.0 or ssl3."""
    protocols: tuple[str, ...] = ()
    ja4: str = ""


NO_HEAD: Final = RequestHead()
NO_OFFER: Final = Offer()


class Exchange(NamedTuple):
    """One exchange. Without a request (it passed before the agent started, or was cut) the head's texts are empty."""

    ends: Ends
    protocol: str
    """http, http2, grpc or tls."""
    seen_at_ns: int
    """When it began, Unix time."""
    ended_at_ns: int
    """When its answer came; when it began, without one."""
    head: RequestHead = NO_HEAD
    """With a template in the place of its path; of TLS the server name in the place of the host."""
    status: int = 0
    """0 when no answer was seen."""
    latency_ns: int = -1
    """-1 when it is not known."""
    version: str = ""
    """Of HTTP, as the answer has it, else the request."""
    offer: Offer = NO_OFFER


def ends_of(packet: Packet) -> Ends:
    """The connection that a packet belongs to."""
    return Ends(packet.protocol, packet.zone, packet.client, packet.dialled, packet.server, packet.answered)
