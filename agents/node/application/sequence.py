"""TCP sequence numbers, which come round after 2^32 (RFC 9293, 3.4), and packets in their order."""

from typing import Final, TypeVar

from agents.node.payload.packet import Packet

Connection = TypeVar("Connection")
_ALL: Final = 0xFFFFFFFF
_HALF: Final = 1 << 31
_REACH: Final = 1 << 24
"""No retransmit lies further behind what came after it; windows that large are not seen with heads in them."""


_HANDSHAKE: Final = 1 << 16
"""More than any handshake sends."""


def is_after(one: int, other: int) -> bool:
    """Whether ``one`` comes later in the stream."""
    return 0 < (one - other) & _ALL < _HALF


def is_repeat(sequence: int, latest: int) -> bool:
    """Whether a packet that comes after the one at ``latest`` was there before; else another connection began."""
    return (latest - sequence) & _ALL < _REACH


def is_near(sequence: int, begin: int) -> bool:
    """Whether a packet is of the same handshake as one that began it: a retransmit, or a second ClientHello."""
    return abs(_distance(sequence, begin)) < _HANDSHAKE


def plus(sequence: int, length: int) -> int:
    """Sequence number so many bytes later."""
    return (sequence + length) & _ALL


def in_order(pairs: list[tuple[Connection, Packet]]) -> list[tuple[Connection, Packet]]:
    """The packets, those of one side of one connection by sequence number, in the places that this side had.

    The network may exchange packets on the way; that happens within milliseconds, so one batch has them all.
    Connections are told apart by identity.
    """
    latest: dict[int, int] = {}
    exchanged: set[int] = set()
    for connection, packet in pairs:
        side = 2 * id(connection) + packet.is_reply
        before = latest.get(side)
        if before is not None and before != packet.sequence and is_repeat(packet.sequence, before):
            exchanged.add(side)
        latest[side] = packet.sequence
    if exchanged:
        _sort(pairs, exchanged)
    return pairs


def _sort(pairs: list[tuple[Connection, Packet]], exchanged: set[int]) -> None:
    places: dict[int, list[int]] = {}
    for at, (connection, packet) in enumerate(pairs):
        side = 2 * id(connection) + packet.is_reply
        if side in exchanged:
            places.setdefault(side, []).append(at)
    for own in places.values():
        base = pairs[own[0]][1].sequence
        moved = sorted((_distance(pairs[at][1].sequence, base), at) for at in own)
        for at, pair in zip(own, [pairs[origin] for _, origin in moved], strict=True):
            pairs[at] = pair


def _distance(sequence: int, base: int) -> int:
    """Signed."""
    return ((sequence - base + _HALF) & _ALL) - _HALF
