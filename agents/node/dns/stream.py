"""Puts DNS messages together from TCP segments: each has its length in two bytes before it (RFC 1035, 4.2.2)."""

from typing import Final

from agents.node.payload.packet import End, Packet

_MAXIMUM_STREAMS: Final = 1024
_MAXIMUM_MESSAGE: Final = 16 << 10
_LENGTH_BYTES: Final = 2
_RANGE: Final = 1 << 32
_HALF: Final = 1 << 31

Direction = tuple[End, End, int, bool]


class Streams:
    """One direction of a connection each; the one that was silent longest makes room."""

    def __init__(self) -> None:
        self._known: dict[Direction, tuple[int, bytes]] = {}
        self.malformed = 0
        """Beginnings of messages that were given up: too long, or with a hole."""

    def __len__(self) -> int:
        return len(self._known)

    def take(self, packet: Packet) -> list[bytes]:
        """The messages that this segment completes, without their lengths."""
        key = (packet.client, packet.dialled, packet.zone, packet.is_reply)
        expected, kept = self._known.pop(key, (packet.sequence, b""))
        ahead = (packet.sequence - expected + _HALF) % _RANGE - _HALF
        if ahead > 0:
            self.malformed += bool(kept)
            expected, kept, ahead = packet.sequence, b"", 0
        fresh = packet.payload[-ahead:] if ahead else packet.payload
        end = (packet.sequence + packet.payload_bytes) % _RANGE
        if ahead + packet.payload_bytes <= 0:
            end = expected
        messages, rest = _split(kept + fresh)
        is_cut = len(packet.payload) < packet.payload_bytes
        if is_cut or (len(rest) >= _LENGTH_BYTES and int.from_bytes(rest[:2], "big") > _MAXIMUM_MESSAGE):
            self.malformed += bool(rest)
            rest = b""
        self._known[key] = (end, rest)
        if len(self._known) > _MAXIMUM_STREAMS:
            _, lost = self._known.pop(next(iter(self._known)))
            self.malformed += bool(lost)
        return messages


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    """Whole messages, and what is left; a length of 0 is no message."""
    messages, at = [], 0
    while len(data) - at >= _LENGTH_BYTES:
        end = at + _LENGTH_BYTES + int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
        if end > len(data):
            break
        messages.append(data[at + _LENGTH_BYTES : end])
        at = end
    return messages, data[at:]
