"""Turns nfnetlink_log messages into attempt rows.

Attribute numbers: linux/netfilter/nfnetlink_log.h. Conntrack's tuples win where the kernel attached them, else the
packet's own head counts. A message that cannot be read is counted, never guessed at.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

import numpy as np

from agents.node.attempt.columns import ATTEMPT, DIALLED, REJECTED, TRANSLATED, Attempts
from agents.node.attempt.packet import Head, is_reset, parse_head, parse_unreachable
from agents.node.attempt.ruleset import DIALLED_PREFIX, REJECTED_PREFIX, TRANSLATED_PREFIX
from agents.node.attempt.tuples import Tracked, parse_tracked, walk

PACKET_MESSAGE: Final = 4 << 8  # NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET
_HEADER: Final = Struct("=IHHII")
_FAMILY_HEADER_BYTES: Final = 4
_TIMESTAMP, _PAYLOAD, _PREFIX, _SEQUENCE, _CT = 3, 9, 10, 12, 18
_WANTED: Final = frozenset({_TIMESTAMP, _PAYLOAD, _PREFIX, _SEQUENCE, _CT})
_TIME: Final = Struct("!QQ")
_KINDS: Final = {
    DIALLED_PREFIX.encode(): DIALLED,
    TRANSLATED_PREFIX.encode(): TRANSLATED,
    REJECTED_PREFIX.encode(): REJECTED,
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one datagram of the log group held."""

    rows: Attempts
    malformed: int
    first_sequence: int | None
    """Kernel's number of the first message, None when no message had one."""
    messages: int
    """Messages that took a number, malformed ones included."""


def parse_datagram(data: bytes, received_at_ns: int) -> Parsed:
    """Rows of all messages in ``data``; a message without a time of its own was seen at ``received_at_ns``."""
    rows: list[tuple[int, ...]] = []
    malformed = messages = 0
    first_sequence: int | None = None
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            malformed += 1
            break
        if kind == PACKET_MESSAGE:
            messages += 1
            try:
                values = _values(data, offset + _HEADER.size + _FAMILY_HEADER_BYTES, offset + length)
                if first_sequence is None and _SEQUENCE in values:
                    first_sequence = int.from_bytes(values[_SEQUENCE][:4], "big") - messages + 1
                row = _parse_values(values, received_at_ns)
            except ValueError:
                row = None
            if row is None:
                malformed += 1
            else:
                rows.append(row)
        offset += (length + 3) & ~3
    return Parsed(np.array(rows, ATTEMPT), malformed, first_sequence, messages)


def _values(data: bytes, start: int, end: int) -> dict[int, bytes]:
    return {
        kind: data[value_start:value_end] for kind, value_start, value_end in walk(data, start, end) if kind in _WANTED
    }


def _parse_values(values: dict[int, bytes], received_at_ns: int) -> tuple[int, ...] | None:
    kind = _KINDS.get(values.get(_PREFIX, b"").rstrip(b"\0"))
    packet = values.get(_PAYLOAD, b"")
    head = parse_head(packet)
    if kind is None or head is None:
        return None
    seen_at_ns = _seen_at(values.get(_TIMESTAMP, b""), received_at_ns)
    if kind == REJECTED:
        return _rejected_row(packet, head, seen_at_ns)
    tracked = parse_tracked(values[_CT]) if _CT in values else None
    if tracked is not None:
        return _tracked_row(kind, tracked, head, seen_at_ns)
    return _row(kind, head, seen_at_ns)


def _seen_at(timestamp: bytes, received_at_ns: int) -> int:
    if len(timestamp) != _TIME.size:
        return received_at_ns
    seconds, microseconds = _TIME.unpack(timestamp)
    # The kernel's time of arrival lies a little before the read; anything else is no such time.
    seen_at_ns: int = seconds * 1_000_000_000 + microseconds * 1_000
    return seen_at_ns if 0 < received_at_ns - seen_at_ns < 60_000_000_000 else received_at_ns  # noqa: PLR2004 - ns


def _row(kind: int, head: Head, seen_at_ns: int) -> tuple[int, ...]:
    is_dialled = kind != TRANSLATED
    return (
        head.family, head.protocol, 0,
        *head.source, *(head.destination if is_dialled else (0, 0)), *head.destination, *head.source,
        head.source_port, head.destination_port if is_dialled else 0, head.destination_port, head.source_port,
        head.icmp_type, head.icmp_code, head.icmp_id,
        kind, head.word, head.ip_bytes, seen_at_ns,
    )  # fmt: skip


def _tracked_row(kind: int, tracked: Tracked, head: Head, seen_at_ns: int) -> tuple[int, ...]:
    original, reply = tracked.original, tracked.reply
    return (
        head.family, original.protocol, tracked.zone,
        *original.source, *original.destination, *reply.source, *reply.destination,
        original.source_port, original.destination_port, reply.source_port, reply.destination_port,
        original.icmp_type, original.icmp_code, original.icmp_id,
        kind, head.word, head.ip_bytes, seen_at_ns,
    )  # fmt: skip


def _rejected_row(packet: bytes, head: Head, seen_at_ns: int) -> tuple[int, ...] | None:
    """The attempt that a reset or an unreachable error answers."""
    answered = parse_unreachable(packet, head)
    if answered is not None:
        return _row(REJECTED, answered, seen_at_ns)
    if not is_reset(packet, head):
        return None
    return (
        head.family, head.protocol, 0,
        *head.destination, *head.source, *head.source, *head.destination,
        head.destination_port, head.source_port, head.source_port, head.destination_port,
        0, 0, 0,
        REJECTED, head.word, head.ip_bytes, seen_at_ns,
    )  # fmt: skip
