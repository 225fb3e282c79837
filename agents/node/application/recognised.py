"""What a connection turned out to speak."""

from dataclasses import dataclass

from agents.node.payload.packet import End


@dataclass(frozen=True, slots=True)
class Recognised:
    """The ends as the client knows them, and the application protocol between them."""

    client: End
    dialled: End
    protocol: int
    """IANA number of the transport."""
    name: str
    """http, http2, grpc, tls or ssh."""
