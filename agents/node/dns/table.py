"""Pairs queries with answers by client, protocol, identifier and question.

A query sent again while it waits is the same exchange, which began with the first: that is what the client felt. An
answer whose query was not seen is an exchange without a latency; a second answer to one query is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from agents.node.dns.aggregate import Aggregate, Exchange, RowKey
from agents.node.dns.message import Answer, AnswerParser, Key, read_key, read_question
from agents.node.dns.stream import Message, Streams
from agents.node.payload.packet import End, Packet
from agents.node.report.resolved import Resolved
from agents.publish.column import Column

_PATIENCE_NS: Final = 5_000_000_000
"""What resolvers wait by default (resolv.conf(5), timeout)."""
_MAXIMUM_PENDING: Final = 16_384
"""More than the default limit lets through within the patience."""
_TCP: Final = 6
_LATEST_LATENCY_NS: Final = 60_000_000_000


class _Asked(NamedTuple):
    client: End
    protocol: int
    zone: int
    key: Key


@dataclass(slots=True)
class _Pending:
    """What is kept of a query; not its packet, whose payload would stay with it."""

    server: End
    dialled: End
    seen_at_ns: int
    has_exact_time: bool
    is_answered: bool = False


class DnsTable:
    """Queries that wait, and the rows of the interval under way."""

    def __init__(self) -> None:
        self._pending: dict[_Asked, _Pending] = {}
        self._streams = Streams()
        self._parser = AnswerParser()
        self._aggregate = Aggregate()
        self._malformed = 0

    @property
    def malformed(self) -> int:
        """What came to the ports of DNS and is none, since the start."""
        return self._malformed + self._streams.malformed

    @property
    def overflowed(self) -> int:
        """Queries and names that found no room, since the start."""
        return self._aggregate.overflowed

    def __len__(self) -> int:
        return len(self._pending)

    def note(self, packets: Sequence[Packet]) -> list[Resolved]:
        """Take packets of DNS in the kernel's order; return what clients learned."""
        resolved = []
        for packet in packets:
            is_stream = packet.protocol == _TCP
            if is_stream and not packet.payload:
                continue  # it only acknowledges
            for message in self._streams.take(packet) if is_stream else (_datagram(packet),):
                found = self._note_message(packet, message)
                if found is not None:
                    resolved.append(found)
        return resolved

    def take_report(self, now_ns: int, flush: bool = False) -> dict[str, Column]:
        """Columns of dns_exchange since the last report. ``flush`` gives up on all that waits: the agent stops."""
        for asked, pending in list(self._pending.items()):
            if flush or now_ns - pending.seen_at_ns >= _PATIENCE_NS:
                del self._pending[asked]
                if not pending.is_answered:
                    self._give_up(asked, pending)
        return self._aggregate.take()

    def _note_message(self, packet: Packet, message: Message) -> Resolved | None:
        read = read_key(message.data)
        if read is None or read[1] != packet.is_reply:
            self._malformed += 1
            return None
        asked = _Asked(packet.client, packet.protocol, packet.zone, read[0])
        if not packet.is_reply:
            self._ask(asked, packet)
            return None
        answer = self._parser.parse(message.data, asked.key.question, is_cut=message.is_cut)
        if answer is None:
            self._malformed += 1
            return None
        return self._answer(asked, packet, answer)

    def _ask(self, asked: _Asked, packet: Packet) -> None:
        known = self._pending.get(asked)
        if known is not None:
            if not known.is_answered and packet.seen_at_ns - known.seen_at_ns < _PATIENCE_NS:
                return
            del self._pending[asked]  # its place is the newest now
            if not known.is_answered:
                self._give_up(asked, known)
        if len(self._pending) >= _MAXIMUM_PENDING:
            self._make_room()
        self._pending[asked] = _Pending(packet.server, packet.dialled, packet.seen_at_ns, packet.has_exact_time)

    def _make_room(self) -> None:
        """The oldest query gives way; one without an answer is counted for its client, since nobody waited for it."""
        asked = next(iter(self._pending))
        pending = self._pending.pop(asked)
        if not pending.is_answered:
            self._aggregate.add_nameless((asked.client.high, asked.client.low), asked.protocol, pending.seen_at_ns)

    def _answer(self, asked: _Asked, packet: Packet, answer: Answer) -> Resolved | None:
        pending = self._pending.get(asked)
        if pending is not None and pending.is_answered:
            return None
        latency_us = None
        if pending is not None:
            pending.is_answered = True
            latency_ns = packet.seen_at_ns - pending.seen_at_ns
            if pending.has_exact_time and packet.has_exact_time and 0 <= latency_ns < _LATEST_LATENCY_NS:
                latency_us = latency_ns // 1000
        client = (asked.client.high, asked.client.low)
        self._aggregate.add(
            RowKey(
                client,
                packet.server,
                pending.dialled if pending else packet.dialled,
                packet.protocol,
                answer.name,
                answer.type,
                answer.response_code,
            ),
            Exchange(
                pending.seen_at_ns if pending else packet.seen_at_ns,
                latency_us,
                answer.answers,
                answer.time_to_live_seconds,
                answer.is_truncated,
            ),
        )
        return Resolved(client, answer.names, answer.addresses, answer.time_to_live_seconds, packet.seen_at_ns)

    def _give_up(self, asked: _Asked, pending: _Pending) -> None:
        name, kind = read_question(asked.key.question)
        key = RowKey(
            (asked.client.high, asked.client.low),
            pending.server,
            pending.dialled,
            asked.protocol,
            name,
            kind,
            "TIMEOUT",
        )
        self._aggregate.add(key, Exchange(pending.seen_at_ns, None, (), 0, is_truncated=False))


def _datagram(packet: Packet) -> Message:
    return Message(packet.payload, is_cut=len(packet.payload) < packet.payload_bytes)
