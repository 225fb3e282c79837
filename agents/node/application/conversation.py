"""Matches HTTP/1 requests with their responses on one connection, which come in the same order (RFC 9112, 9.3.2).

Sequence numbers tell a retransmit from a request that is made twice, and acknowledgement numbers whether the answer to
a request passed unseen, so that one that was not shown does not shift all that follow.

HTTP/1 that is spoken through a tunnel, after CONNECT, or on another connection between the same ends is told like any
other; what a connection speaks after 101 does not look like HTTP/1.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from agents.node.application.exchange import Ends, Exchange
from agents.node.application.head import RequestHead, ResponseHead
from agents.node.application.sequence import is_after, is_repeat, plus
from agents.node.payload.packet import Packet

_SWITCHING: Final = 101
_NO_BODY: Final = frozenset({_SWITCHING, 204, 304})
_FEWEST: Final = 200
"""Below are answers that another one follows; 101 is the last of its kind."""
_REDIRECT: Final = 300


class Asked(NamedTuple):
    """A request and what its packet said of it."""

    head: RequestHead
    sequence: int
    acknowledgement: int
    seen_at_ns: int
    has_exact_time: bool


class Conversation:
    """State of one connection. Every exchange comes out once; the caller gives it its path template before."""

    __slots__ = (
        "_answer_end", "_answer_sequence", "_asked_end", "_asked_sequence", "_ends", "_given_up", "waiting",
    )  # fmt: skip

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self.waiting: list[Asked] = []
        """Requests without their answers, in order; for others to count."""
        self._asked_sequence: int | None = None
        self._asked_end: int | None = None
        self._answer_sequence: int | None = None
        self._answer_end: int | None = None
        self._given_up = 0

    def ask(self, packet: Packet, heads: Sequence[RequestHead]) -> list[Exchange]:
        """Take a packet's requests; return older ones whose answers passed unseen."""
        latest = self._asked_sequence
        if latest is None or is_after(packet.sequence, latest):
            if self._asked_end is not None and is_after(self._asked_end, packet.sequence):
                return []  # in the body of the request before
            done = self._unseen(packet)
        elif is_repeat(packet.sequence, latest):
            return []
        else:
            done = self._begin_anew()
        self._asked_sequence = packet.sequence
        whole = heads[0].message_bytes if len(heads) == 1 else -1
        self._asked_end = plus(packet.sequence, whole) if whole >= 0 else None
        for head in heads:
            self.waiting.append(
                Asked(head, packet.sequence, packet.acknowledgement, packet.seen_at_ns, packet.has_exact_time)
            )
        return done

    def answer(self, packet: Packet, heads: Iterable[ResponseHead]) -> list[Exchange]:
        """Take a packet's responses; return the exchanges that they end, orphans too."""
        latest = self._answer_sequence
        if latest is not None:
            if is_repeat(packet.sequence, latest):
                return []
            if self._answer_end is not None and is_after(self._answer_end, packet.sequence):
                return []  # in the body of the response before
        self._answer_sequence, self._answer_end = packet.sequence, None
        done = []
        for head in heads:
            if head.status >= _FEWEST or head.status == _SWITCHING:
                done += self._end(packet, head)
        return done

    def give_up(self, before_ns: int) -> list[Exchange]:
        """Requests that have waited since before this time, as unanswered."""
        done = []
        while self.waiting and self.waiting[0].seen_at_ns <= before_ns:
            done.append(self._unanswered(self.waiting.pop(0)))
            self._given_up += 1
        return done

    def _begin_anew(self) -> list[Exchange]:
        """Another connection has the ends of one that is over."""
        done = [self._unanswered(asked) for asked in self.waiting]
        self.waiting.clear()
        self._answer_sequence = self._answer_end = None
        self._given_up = 0
        return done

    def _unseen(self, packet: Packet) -> list[Exchange]:
        """The only one that waits, if its client has had bytes of the answer before it asks again."""
        if len(self.waiting) != 1 or not packet.acknowledgement:
            return []
        [asked] = self.waiting
        begin = asked.acknowledgement
        if begin and self._answer_end is not None and is_after(self._answer_end, begin):
            begin = self._answer_end
        if not begin or not is_after(packet.acknowledgement, begin):
            return []
        self.waiting.clear()
        return [self._unanswered(asked)]

    def _end(self, packet: Packet, head: ResponseHead) -> list[Exchange]:
        asked = self.waiting.pop(0) if self._is_asked(packet) else None
        if asked is None:
            if self._given_up:
                self._given_up -= 1
                return []
            return [
                Exchange(
                    self._ends, "http", packet.seen_at_ns, packet.seen_at_ns, status=head.status, version=head.version
                )
            ]
        self._given_up = 0
        self._note_end(packet, head, asked.head.method)
        return [self._answered(asked, packet, head)]

    def _is_asked(self, packet: Packet) -> bool:
        """Whether the request that waits longest can be the one that this answers."""
        if not self.waiting:
            return False
        asked = self.waiting[0]
        if asked.acknowledgement and is_after(asked.acknowledgement, packet.sequence):
            return False
        return asked.has_exact_time != packet.has_exact_time or asked.seen_at_ns <= packet.seen_at_ns

    def _note_end(self, packet: Packet, head: ResponseHead, method: str) -> None:
        """Where the next response begins, if it is known (RFC 9112, 6.3)."""
        is_tunnel = method == "CONNECT" and head.status < _REDIRECT
        has_body = method != "HEAD" and head.status not in _NO_BODY and not is_tunnel
        length = head.message_bytes if has_body else head.head_bytes
        self._answer_end = plus(packet.sequence, length) if length >= 0 else None

    def _answered(self, asked: Asked, packet: Packet, answer: ResponseHead) -> Exchange:
        ended_at_ns = max(packet.seen_at_ns, asked.seen_at_ns)
        is_timed = asked.has_exact_time and packet.has_exact_time
        return Exchange(
            self._ends,
            "http",
            asked.seen_at_ns,
            ended_at_ns,
            asked.head,
            answer.status,
            ended_at_ns - asked.seen_at_ns if is_timed else -1,
            answer.version,
        )

    def _unanswered(self, asked: Asked) -> Exchange:
        return Exchange(self._ends, "http", asked.seen_at_ns, asked.seen_at_ns, asked.head, version=asked.head.version)
