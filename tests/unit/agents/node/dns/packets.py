"""DNS packets as the kernel shows them, for tests."""

import dns.message
import dns.rrset

from agents.node.payload.packet import End, Kind, Packet

CLIENT, DIALLED, SERVER = End(0, 0xFFFF0A000001, 40000), End(0, 0xFFFF0A60000A, 53), End(0, 0xFFFF0A000002, 5353)
START_NS = 1_700_000_000_000_000_000


def query(name: str = "a.example.", kind: str = "A", identifier: int = 7) -> bytes:
    return dns.message.make_query(name, kind, id=identifier, use_edns=0).to_wire()


def answer(question: bytes, *records: tuple[str, str, str], code: int = 0, time_to_live: int = 30) -> bytes:
    """``records``: owner, type and data, in order."""
    response = dns.message.make_response(dns.message.from_wire(question))
    response.set_rcode(code)
    response.answer = [dns.rrset.from_text(owner, time_to_live, "IN", kind, data) for owner, kind, data in records]
    return response.to_wire(max_size=65_535)


def packet(
    payload: bytes,
    at_us: int = 0,
    *,
    is_reply: bool = False,
    protocol: int = 17,
    sequence: int = 0,
    client: End = CLIENT,
    dialled: End = DIALLED,
    server: End = SERVER,
    has_exact_time: bool = True,
    payload_bytes: int | None = None,
) -> Packet:
    return Packet(
        kind=Kind.DNS_ANSWER if is_reply else Kind.DNS_QUERY,
        protocol=protocol,
        zone=0,
        client=client,
        dialled=dialled,
        server=server,
        answered=client,
        is_reply=is_reply,
        sequence=sequence,
        payload=payload,
        payload_bytes=len(payload) if payload_bytes is None else payload_bytes,
        seen_at_ns=START_NS + at_us * 1000,
        has_exact_time=has_exact_time,
    )
