"""What the agent is shown of a capture: the packets that the rules pick out, as log messages of the kernel."""

import struct
from collections.abc import Iterable

from agents.node.attempt.packet import Head, parse_head
from agents.node.payload.packet import Kind, Packet
from agents.node.payload.parse import parse_message
from agents.node.payload.ruleset import _FIRST_BYTES, DNS_BYTES, HEAD_BYTES
from tests.unit.agents.node.attempt.packets import TCP, message
from tests.unit.agents.node.hostile.pcap import Record

_DNS_PORT = 53
_LATER_NS = 1_000_000_000
_TIMESTAMP = 3


def shown(records: Iterable[Record]) -> list[Packet]:
    """In their order, by a kernel that attaches no tuples; what no rule matches is not shown."""
    found = (_shown(record) for record in records)
    return [packet for packet in found if packet is not None]


def _shown(record: Record) -> Packet | None:
    head = parse_head(record.packet)
    kind = _kind_of(record.packet, head) if head is not None else None
    if kind is None:
        return None
    size = DNS_BYTES if kind in {Kind.DNS_QUERY, Kind.DNS_ANSWER} else HEAD_BYTES
    timestamp = struct.pack("!QQ", *divmod(record.at_us, 1_000_000))
    logged = message(kind.value, record.packet[:size], (_TIMESTAMP, timestamp))
    return parse_message(logged, record.at_us * 1_000 + _LATER_NS)


def _kind_of(packet: bytes, head: Head) -> Kind | None:
    """As payload/ruleset.py has it."""
    if head.destination_port == _DNS_PORT:
        return Kind.DNS_QUERY
    if head.source_port == _DNS_PORT:
        return Kind.DNS_ANSWER
    if head.protocol != TCP or len(packet) <= head.offset + 12:
        return None
    begin = head.offset + (packet[head.offset + 12] >> 4) * 4
    first = packet[begin : begin + 4]
    for kind, words in _FIRST_BYTES.items():
        if first in words:
            return kind
    is_hello = packet[begin : begin + 2] == b"\x16\x03" and packet[begin + 5 : begin + 6] == b"\x01"
    return Kind.TLS_HELLO if is_hello else None
