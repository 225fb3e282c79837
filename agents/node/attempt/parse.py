"""Turns one nfnetlink_log message into an attempt row.

Attribute numbers: linux/netfilter/nfnetlink_log.h. Conntrack's tuples win where the kernel attached them, else the
packet's own head counts. A message that cannot be read is told, never guessed at.
"""

from typing import Final

from agents.node.attempt.columns import DIALLED, REJECTED, TRANSLATED
from agents.node.attempt.packet import Head, is_reset, parse_head, parse_unreachable
from agents.node.attempt.ruleset import DIALLED_PREFIX, REJECTED_PREFIX, TRANSLATED_PREFIX
from agents.node.attempt.tuples import Tracked, parse_tracked
from agents.node.log_group.message import ATTRIBUTES_AT, PAYLOAD, PREFIX, TIMESTAMP, TRACKED, seen_at, walk

_WANTED: Final = frozenset({TIMESTAMP, PAYLOAD, PREFIX, TRACKED})
_KINDS: Final = {
    DIALLED_PREFIX.encode(): DIALLED,
    TRANSLATED_PREFIX.encode(): TRANSLATED,
    REJECTED_PREFIX.encode(): REJECTED,
}
Row = tuple[int, ...]
"""One row of ATTEMPT."""


def parse_message(message: bytes, received_at_ns: int) -> Row | None:
    """The row of one message, header included; without a time of its own it was seen at ``received_at_ns``.

    None when the message is none of ours, or malformed.
    """
    try:
        values = {
            kind: message[start:end]
            for kind, start, end in walk(message, ATTRIBUTES_AT, len(message))
            if kind in _WANTED
        }
        return _parse_values(values, received_at_ns)
    except ValueError:
        return None


def kind_of(prefix: bytes) -> int | None:
    """Which of our rules wrote this prefix; None when none did."""
    return _KINDS.get(prefix.rstrip(b"\0"))


def _parse_values(values: dict[int, bytes], received_at_ns: int) -> Row | None:
    kind = kind_of(values.get(PREFIX, b""))
    packet = values.get(PAYLOAD, b"")
    head = parse_head(packet)
    if kind is None or head is None:
        return None
    seen_at_ns = seen_at(values.get(TIMESTAMP, b""), received_at_ns) or received_at_ns
    if kind == REJECTED:
        return _rejected_row(packet, head, seen_at_ns)
    tracked = parse_tracked(values[TRACKED]) if TRACKED in values else None
    if tracked is not None:
        return _tracked_row(kind, tracked, head, seen_at_ns)
    return _row(kind, head, seen_at_ns)


def _row(kind: int, head: Head, seen_at_ns: int) -> Row:
    is_dialled = kind != TRANSLATED
    return (
        head.family, head.protocol, 0,
        *head.source, *(head.destination if is_dialled else (0, 0)), *head.destination, *head.source,
        head.source_port, head.destination_port if is_dialled else 0, head.destination_port, head.source_port,
        head.icmp_type, head.icmp_code, head.icmp_id,
        kind, head.word, head.ip_bytes, seen_at_ns,
    )  # fmt: skip


def _tracked_row(kind: int, tracked: Tracked, head: Head, seen_at_ns: int) -> Row:
    original, reply = tracked.original, tracked.reply
    return (
        head.family, original.protocol, tracked.zone,
        *original.source, *original.destination, *reply.source, *reply.destination,
        original.source_port, original.destination_port, reply.source_port, reply.destination_port,
        original.icmp_type, original.icmp_code, original.icmp_id,
        kind, head.word, head.ip_bytes, seen_at_ns,
    )  # fmt: skip


def _rejected_row(packet: bytes, head: Head, seen_at_ns: int) -> Row | None:
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
