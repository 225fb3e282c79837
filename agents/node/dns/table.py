"""Pairs queries with answers by client, protocol, identifier and question.

A query sent again while it waits is the same exchange, which began with the first: that is what the client felt. An
answer whose query was not seen is an exchange without a latency; a second answer to one query is none, nor is one that
comes when its timeout was told.
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
_LATEST_ANSWER_NS: Final = 30_000_000_000
"""The longest that resolvers can be told to wait (RES_MAXRETRANS, resolv.h)."""
_MAXIMUM_DIALLED: Final = 3
"""Servers that a resolver may have (MAXNS, resolv.h); musl asks all of them at once."""
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
    dialled: tuple[End, ...]
    """Whom it was sent to, in order."""
    seen_at_ns: int
    has_exact_time: bool
    is_answered: bool = False
    is_given_up: bool = False

    @property
    def is_waiting(self) -> bool:
        """Nothing was told of it yet."""
        return not self.is_answered and not self.is_given_up


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
            age_ns = now_ns - pending.seen_at_ns
            if not flush and age_ns < _PATIENCE_NS:
                continue
            if pending.is_waiting:
                self._give_up(asked, pending)
            if flush or pending.is_answered or age_ns >= _LATEST_ANSWER_NS:
                del self._pending[asked]
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
            if known.is_waiting and packet.seen_at_ns - known.seen_at_ns < _PATIENCE_NS:
                if packet.dialled not in known.dialled and len(known.dialled) < _MAXIMUM_DIALLED:
                    known.dialled += (packet.dialled,)
                return
            del self._pending[asked]  # its place is the newest now
            if known.is_waiting:
                self._give_up(asked, known)
        if len(self._pending) >= _MAXIMUM_PENDING:
            self._make_room()
        self._pending[asked] = _Pending(packet.server, (packet.dialled,), packet.seen_at_ns, packet.has_exact_time)

    def _make_room(self) -> None:
        """The oldest query gives way; one without an answer is counted for its client, since nobody waited for it."""
        asked = next(iter(self._pending))
        pending = self._pending.pop(asked)
        if pending.is_waiting:
            self._aggregate.add_nameless((asked.client.high, asked.client.low), asked.protocol, pending.seen_at_ns)

    def _answer(self, asked: _Asked, packet: Packet, answer: Answer) -> Resolved | None:
        pending = self._pending.get(asked)
        if pending is not None and pending.is_answered:
            return None
        client = (asked.client.high, asked.client.low)
        if pending is None or not pending.is_given_up:
            self._aggregate.add(
                RowKey(
                    client,
                    packet.server,
                    _dialled(pending, packet),
                    packet.protocol,
                    answer.name,
                    answer.type,
                    answer.response_code,
                ),
                Exchange(
                    pending.seen_at_ns if pending else packet.seen_at_ns,
                    _latency_us(pending, packet),
                    answer.answers,
                    answer.time_to_live_seconds,
                    answer.is_truncated,
                ),
            )
        if pending is not None:
            pending.is_answered = True
        return Resolved(client, answer.names, answer.addresses, answer.time_to_live_seconds, packet.seen_at_ns)

    def _give_up(self, asked: _Asked, pending: _Pending) -> None:
        pending.is_given_up = True
        name, kind = read_question(asked.key.question)
        key = RowKey(
            (asked.client.high, asked.client.low),
            pending.server,
            pending.dialled[0],
            asked.protocol,
            name,
            kind,
            "TIMEOUT",
        )
        self._aggregate.add(key, Exchange(pending.seen_at_ns, None, (), 0, is_truncated=False))


def _datagram(packet: Packet) -> Message:
    return Message(packet.payload, is_cut=len(packet.payload) < packet.payload_bytes)


def _dialled(pending: _Pending | None, packet: Packet) -> End:
    """Where the kernel attached no tuples to an answer, it tells only who answered: that may stand behind a Service."""
    if pending is None or packet.dialled in pending.dialled:
        return packet.dialled
    return pending.dialled[0]


def _latency_us(pending: _Pending | None, packet: Packet) -> int | None:
    if pending is None or not (pending.has_exact_time and packet.has_exact_time):
        return None
    latency_ns = packet.seen_at_ns - pending.seen_at_ns
    return latency_ns // 1000 if 0 <= latency_ns < _LATEST_LATENCY_NS else None
