"""Puts DNS messages together from TCP segments: each has its length in two bytes before it (RFC 1035, 4.2.2).

Of one that the kernel cut, or that is too long to be kept, the beginning is given, which has its head and question.
"""

from typing import Final, NamedTuple

from agents.node.payload.packet import End, Packet

_MAXIMUM_STREAMS: Final = 1024
_MAXIMUM_MESSAGE: Final = 16 << 10
_LENGTH_BYTES: Final = 2
_RANGE: Final = 1 << 32
_HALF: Final = 1 << 31

Direction = tuple[End, End, int, bool]


class Message(NamedTuple):
    """A message without its length."""

    data: bytes
    is_cut: bool = False
    """Only its beginning."""


class Streams:
    """One direction of a connection each; the one that was silent longest makes room."""

    def __init__(self) -> None:
        self._known: dict[Direction, tuple[int, bytes]] = {}
        self.malformed = 0
        """Beginnings of messages that were given up: too short, or with a hole."""

    def __len__(self) -> int:
        return len(self._known)

    def take(self, packet: Packet) -> list[Message]:
        """The messages that this segment completes, and the beginning of the one of which no more is read."""
        key = (packet.client, packet.dialled, packet.zone, packet.is_reply)
        expected, kept = self._known.pop(key, (packet.sequence, b""))
        ahead = (packet.sequence - expected + _HALF) % _RANGE - _HALF
        if ahead > 0:
            self.malformed += bool(kept)
            expected, kept, ahead = packet.sequence, b"", 0
        messages, rest = _split(kept + (packet.payload[-ahead:] if ahead else packet.payload))
        # Places from here on count from what was expected.
        shown, end = (max(0, ahead + size) for size in (len(packet.payload), packet.payload_bytes))
        if rest and _is_given_up(rest, is_cut=end > shown):
            end = max(end, shown - len(rest) + _message_end(rest))  # its own rest is no beginning of another
            self._give_up(rest, messages)
            rest = b""
        self._known[key] = ((expected + end) % _RANGE, rest)
        if len(self._known) > _MAXIMUM_STREAMS:
            _, lost = self._known.pop(next(iter(self._known)))
            self.malformed += bool(lost)
        return messages

    def _give_up(self, rest: bytes, messages: list[Message]) -> None:
        if len(rest) > _LENGTH_BYTES:
            messages.append(Message(rest[_LENGTH_BYTES:], is_cut=True))
        else:
            self.malformed += 1


def _is_given_up(rest: bytes, *, is_cut: bool) -> bool:
    """Some servers send the length of a message in a segment of its own."""
    return is_cut or (len(rest) > _LENGTH_BYTES and _message_end(rest) > _LENGTH_BYTES + _MAXIMUM_MESSAGE)


def _message_end(data: bytes) -> int:
    """Where the message that begins here ends; the end of what is here where its length is not."""
    if len(data) < _LENGTH_BYTES:
        return len(data)
    return _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")


def _split(data: bytes) -> tuple[list[Message], bytes]:
    """Whole messages, and what is left; a length of 0 is no message."""
    messages, at = [], 0
    while len(data) - at >= _LENGTH_BYTES:
        end = at + _LENGTH_BYTES + int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
        if end > len(data):
            break
        messages.append(Message(data[at + _LENGTH_BYTES : end]))
        at = end
    return messages, data[at:]
