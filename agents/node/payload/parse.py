"""Turns one log message of the payload group into a packet. A message that cannot be read is None, never guessed at."""

from struct import Struct
from typing import Final

from agents.node.attempt.packet import Head, parse_head
from agents.node.attempt.tuples import Tracked, parse_tracked
from agents.node.log_group.message import (
    ATTRIBUTES_AT,
    PAYLOAD,
    PREFIX,
    TIMESTAMP,
    TRACKED,
    TRACKED_INFO,
    seen_at,
    walk,
)
from agents.node.payload.packet import End, Kind, Packet

_TCP, _UDP = 6, 17
_TCP_BYTES: Final = 20
_UDP_BYTES: Final = 8
_WORD: Final = Struct("!I")
_FIRST_REPLY: Final = 3  # IP_CT_IS_REPLY, linux/netfilter/nf_conntrack_common.h
_KINDS: Final = {kind.value.encode(): kind for kind in Kind}
_REPLIES: Final = frozenset({Kind.DNS_ANSWER, Kind.HTTP_RESPONSE})
_WANTED: Final = frozenset({TIMESTAMP, PAYLOAD, PREFIX, TRACKED, TRACKED_INFO})


def parse_message(message: bytes, received_at_ns: int) -> Packet | None:
    """The packet of one message, netlink header included."""
    try:
        values = {
            kind: message[start:end]
            for kind, start, end in walk(message, ATTRIBUTES_AT, len(message))
            if kind in _WANTED
        }
        tracked = parse_tracked(values[TRACKED]) if TRACKED in values else None
    except ValueError:
        return None
    kind = _KINDS.get(values.get(PREFIX, b"").rstrip(b"\0"))
    data = values.get(PAYLOAD, b"")
    head = parse_head(data)
    if kind is None or head is None:
        return None
    start = _payload_at(data, head)
    if start is None:
        return None
    is_reply = _is_reply(values.get(TRACKED_INFO, b""), kind, tracked)
    at_ns = seen_at(values.get(TIMESTAMP, b""), received_at_ns)
    payload = data[start : max(start, head.ip_bytes)]  # a short frame is padded
    client, dialled, server, answered = _ends(head, tracked, is_reply=is_reply)
    return Packet(
        kind=kind,
        protocol=head.protocol,
        zone=tracked.zone if tracked else 0,
        client=client,
        dialled=dialled,
        server=server,
        answered=answered,
        is_reply=is_reply,
        sequence=_WORD.unpack_from(data, head.offset + 4)[0] if head.protocol == _TCP else 0,
        payload=payload,
        payload_bytes=max(head.ip_bytes - start, len(payload)),
        seen_at_ns=at_ns or received_at_ns,
        has_exact_time=at_ns is not None,
        acknowledgement=_WORD.unpack_from(data, head.offset + 8)[0] if head.protocol == _TCP else 0,
    )


def _payload_at(data: bytes, head: Head) -> int | None:
    if head.protocol == _UDP:
        return head.offset + _UDP_BYTES if head.offset + _UDP_BYTES <= len(data) else None
    if head.protocol != _TCP or head.offset + _TCP_BYTES > len(data):
        return None
    size = (data[head.offset + 12] >> 4) * 4
    return head.offset + size if size >= _TCP_BYTES and head.offset + size <= len(data) else None


def _is_reply(info: bytes, kind: Kind, tracked: Tracked | None) -> bool:
    if tracked is not None and len(info) == _WORD.size:
        return int(_WORD.unpack(info)[0]) >= _FIRST_REPLY
    return kind in _REPLIES


def _ends(head: Head, tracked: Tracked | None, *, is_reply: bool) -> tuple[End, End, End, End]:
    """Client, dialled, server, answered."""
    if tracked is not None:
        original, reply = tracked.original, tracked.reply
        return (
            End(*original.source, original.source_port),
            End(*original.destination, original.destination_port),
            End(*reply.source, reply.source_port),
            End(*reply.destination, reply.destination_port),
        )
    source, destination = End(*head.source, head.source_port), End(*head.destination, head.destination_port)
    client, server = (destination, source) if is_reply else (source, destination)
    return client, server, server, client
