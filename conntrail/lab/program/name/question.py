"""What a client asks of DNS: names by its search path (resolv.conf(5)), messages out and answers in. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

_MOST_BYTES: Final = 65_535
"""Of a message over TCP (RFC 1035, 4.2.2)."""
_LENGTH_BYTES: Final = 2
_DOTS: Final = 5
"""Names with fewer are tried with the search path first: ndots in the resolv.conf that Kubernetes gives to pods."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer said."""

    identity: int
    code: str
    """NOERROR, NXDOMAIN …"""
    values: tuple[str, ...]
    """Of the type that was asked for, in order."""
    is_truncated: bool


def candidates(name: str, search: Iterable[str]) -> list[str]:
    """Full names in the order in which they are tried, each without its last dot."""
    if name.endswith("."):
        return [name.rstrip(".")]
    longer = [f"{name}.{suffix}" for suffix in search]
    return [name, *longer] if name.count(".") >= _DOTS else [*longer, name]


def query(identity: int, name: str, kind: str, payload_bytes: int = 0) -> bytes:
    """A question. ``payload_bytes``: what the client takes of a datagram, by EDNS (RFC 6891); 0: it has no EDNS."""
    edns, payload = (0, payload_bytes) if payload_bytes else (None, None)
    return dns.message.make_query(f"{name}.", kind, id=identity, use_edns=edns, payload=payload).to_wire()


def framed(message: bytes) -> bytes:
    """For TCP: its length first."""
    return len(message).to_bytes(_LENGTH_BYTES, "big") + message


def unframed(data: bytes) -> tuple[bytes | None, bytes]:
    """The first whole message of what came by TCP, or None, and what is left."""
    length = int.from_bytes(data[:_LENGTH_BYTES], "big")
    if len(data) < _LENGTH_BYTES + length or len(data) < _LENGTH_BYTES:
        return None, data
    return data[_LENGTH_BYTES : _LENGTH_BYTES + length], data[_LENGTH_BYTES + length :]


def parse_answer(wire: bytes) -> Answer | None:
    """None for what is no answer to one question."""
    try:
        message = dns.message.from_wire(wire[:_MOST_BYTES], ignore_trailing=True)
    except dns.exception.DNSException:
        return None
    if not message.flags & dns.flags.QR or len(message.question) != 1:
        return None
    wanted = message.question[0].rdtype
    values = tuple(item.to_text() for found in message.answer if found.rdtype == wanted for item in found)
    code, is_cut = dns.rcode.to_text(message.rcode()), bool(message.flags & dns.flags.TC)
    return Answer(message.id, code, values, is_cut)
