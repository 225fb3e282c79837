"""A packet whose first bytes the kernel found worth showing, as the parts that read DNS, HTTP and TLS take it.

Ends are those of conntrack where the kernel attached its tuples to the message; else those of the packet's own head.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class End(NamedTuple):
    """Address, as two native 64-bit words of its 16 bytes (IPv4 mapped, RFC 4291 section 2.5.5.2), and port."""

    high: int
    low: int
    port: int


class Kind(Enum):
    """Why the kernel showed a packet; the value is the log prefix of the rule."""

    DNS_QUERY = "q"
    DNS_ANSWER = "a"
    HTTP_REQUEST = "h"
    """HTTP/1: begins with a method that we know."""
    HTTP_RESPONSE = "s"
    """HTTP/1: begins with HTTP."""
    HTTP2_PREFACE = "p"
    """HTTP/2 without TLS: begins with PRI (RFC 9113, 3.4); or the client's packet after that, with its first heads."""
    TLS_HELLO = "c"
    """TLS handshake record with a ClientHello."""
    SSH_BANNER = "b"
    """Begins with SSH- (RFC 4253, 4.2)."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a connection, cut to the length that its rule asks for."""

    kind: Kind
    protocol: int
    """IANA number."""
    zone: int
    """Conntrack zone."""
    client: End
    """Who began the connection: conntrack's original source."""
    dialled: End
    """Whom it dialled, before DNAT: conntrack's original destination."""
    server: End
    """Who answers, after DNAT: conntrack's reply source."""
    answered: End
    """Where answers go, after SNAT: conntrack's reply destination."""
    is_reply: bool
    """From the server to the client."""
    sequence: int
    """TCP sequence number of the payload's first byte; 0 for UDP."""
    payload: bytes
    """What follows the transport header, perhaps cut."""
    payload_bytes: int
    """How long that is on the wire; more than is here when it was cut."""
    seen_at_ns: int
    """Unix time."""
    has_exact_time: bool
    """Fit for a latency: by the kernel's clock at its hook, or by ours at once; else by ours when the message was read,
    which is much too late."""
    acknowledgement: int = 0
    """TCP acknowledgement number: where the next bytes of the other side begin, as far as the sender knows. An answer
    to this packet cannot begin before. 0 where it is not known."""
