"""Decides which exchanges the packets of an interval show, and which connections speak what.

Packets are the first of a message each; of TLS, HTTP/2 and SSH the first of a connection. Everything that is held is
bounded by ApplicationOptions, and what finds no room is counted.
"""

from collections.abc import Sequence
from typing import Final

from agents.node.application.columns import exchange_columns
from agents.node.application.conversation import Conversation
from agents.node.application.disguise import Disguise
from agents.node.application.exchange import Ends, Exchange, Offer, ends_of
from agents.node.application.head import RequestHead
from agents.node.application.hello import parse_hello
from agents.node.application.http1 import parse_requests, parse_responses
from agents.node.application.http2 import is_grpc, parse_frames, parse_preface
from agents.node.application.ja4 import fingerprint
from agents.node.application.options import ApplicationOptions
from agents.node.application.recognised import Recognised
from agents.node.application.route import RouteTable
from agents.node.application.sequence import in_order, is_near
from agents.node.application.summary import Summary
from agents.node.application.template import LONGEST, template_of
from agents.node.payload.packet import Kind, Packet
from agents.publish.column import Column

_IDLE_NS: Final = 120_000_000_000
"""After that a connection without waiting requests is forgotten; retransmits come sooner."""
_TLS_VERSIONS: Final = {0x0304: "1.3", 0x0303: "1.2", 0x0302: "1.1", 0x0301: "1.0", 0x0300: "ssl3"}
_HTTP2: Final = "http2"
_GRPC: Final = "grpc"
_NO_TIME: Final = 1 << 63
_BANNER: Final = b"SSH-"


class _Connection:
    """What is remembered of a connection."""

    __slots__ = ("begin_sequence", "ends", "has_heads", "name", "seen_at_ns", "talk")

    def __init__(self, ends: Ends) -> None:
        self.ends = ends
        self.talk = Conversation(ends)
        """Its HTTP/1, if it speaks that."""
        self.name = ""
        """What it was told to speak."""
        self.begin_sequence: int | None = None
        """Of the packet that began TLS or HTTP/2."""
        self.has_heads = False
        """Heads of its HTTP/2 have been told; more cannot be read."""
        self.seen_at_ns = 0


class ApplicationTable:
    """Requests that wait for their answers, and the sums of the interval."""

    def __init__(self, options: ApplicationOptions) -> None:
        self._options = options
        self._disguise = Disguise(options)
        self._routes = RouteTable(options.templates_per_server)
        self._summary = Summary(options.rows, options.folded_rows)
        self._connections: dict[Ends, _Connection] = {}
        self._waiting = 0
        self._recognised: list[Recognised] = []
        self._overflowed = 0
        self.malformed = 0
        """Packets that are not what their first bytes promise."""

    @property
    def overflowed(self) -> int:
        """Requests for which there was no room, and exchanges that were folded by server."""
        return self._overflowed + self._summary.overflowed

    def __len__(self) -> int:
        return len(self._connections)

    def note(self, packets: Sequence[Packet]) -> list[Recognised]:
        """Take packets, DNS left out, in the order in which the kernel showed them; return what connections speak.

        That is told once for each; of gRPC it may have been called http2 before.
        """
        step = self._options.connections  # so that none is pushed out by those that come with it
        for at in range(0, len(packets), step):
            known = [(self._know(packet), packet) for packet in packets[at : at + step]]
            for connection, packet in in_order(known):
                match packet.kind:
                    case Kind.HTTP_REQUEST:
                        self._note_request(connection, packet)
                    case Kind.HTTP_RESPONSE:
                        self._note_response(connection, packet)
                    case Kind.TLS_HELLO:
                        self._note_hello(connection, packet)
                    case Kind.HTTP2_PREFACE:
                        self._note_preface(connection, packet)
                    case Kind.SSH_BANNER:
                        self._note_banner(connection, packet)
                    case _:
                        pass
        recognised, self._recognised = self._recognised, []
        return recognised

    def take_report(self, now_ns: int, flush: bool = False) -> dict[str, Column]:
        """Exchanges since the last report, columns of L7Exchange.

        Requests without an answer are told when they have waited for the options' patience. ``flush`` tells all, when
        the agent stops.
        """
        before_ns = _NO_TIME if flush else now_ns - self._options.patience_ns
        for known in self._connections.values():
            self._end(known, before_ns)
        oldest_ns = _NO_TIME if flush else now_ns - _IDLE_NS
        self._connections = {
            ends: known
            for ends, known in self._connections.items()
            if known.talk.waiting or known.seen_at_ns > oldest_ns
        }
        self._routes.forget(now_ns)
        return exchange_columns(self._summary.take())

    def _note_request(self, known: _Connection, packet: Packet) -> None:
        talk = known.talk
        heads = [] if packet.is_reply else parse_requests(packet.payload)
        if not heads:
            self.malformed += 1
            return
        self._recognise(known, packet, "http")
        before = len(talk.waiting)
        room = max(min(self._options.waiting_per_connection - before, self._options.waiting - self._waiting), 0)
        self._overflowed += max(len(heads) - room, 0)
        self._add(talk.ask(packet, [self._told(known.ends, head) for head in heads[:room]]))
        self._waiting += len(talk.waiting) - before

    def _note_response(self, known: _Connection, packet: Packet) -> None:
        talk = known.talk
        heads = parse_responses(packet.payload) if packet.is_reply else []
        if not heads:
            self.malformed += 1
            return
        self._recognise(known, packet, "http")
        before = len(talk.waiting)
        self._add(talk.answer(packet, heads))
        self._waiting += len(talk.waiting) - before

    def _note_hello(self, known: _Connection, packet: Packet) -> None:
        hello = None if packet.is_reply else parse_hello(packet.payload)
        if hello is None:
            self.malformed += 1
            return
        self._recognise(known, packet, "tls")
        if not self._begins(known, packet):
            return
        offer = Offer(_TLS_VERSIONS.get(hello.version, ""), hello.protocol_names, fingerprint(hello))
        head = RequestHead(host=self._disguise.host(hello.server_name))
        at_ns = packet.seen_at_ns
        self._summary.add(Exchange(known.ends, "tls", at_ns, at_ns, head, offer=offer))

    def _note_preface(self, known: _Connection, packet: Packet) -> None:
        """The first requests alone: what answers them comes in frames that were never shown.

        Most clients send the preface by itself; so the packet after it is taken too where the capture shows it.
        """
        heads = None if packet.is_reply else parse_preface(packet.payload)
        if heads is not None and self._begins(known, packet):
            known.has_heads = False
        if heads is None and known.name in {_HTTP2, _GRPC} and not packet.is_reply:
            heads = [] if known.has_heads else parse_frames(packet.payload)
        if heads is None:
            self.malformed += 1
            return
        self._recognise(known, packet, _GRPC if any(is_grpc(head) for head in heads) else _HTTP2)
        if not known.has_heads:
            known.has_heads = bool(heads)
            for head in heads:
                self._tell(known, packet, head)

    def _tell(self, known: _Connection, packet: Packet, head: RequestHead) -> None:
        at_ns = packet.seen_at_ns
        name, told = _GRPC if is_grpc(head) else _HTTP2, self._told(known.ends, head)
        self._summary.add(Exchange(known.ends, name, at_ns, at_ns, told, version=head.version))

    def _note_banner(self, known: _Connection, packet: Packet) -> None:
        if packet.payload.startswith(_BANNER):
            self._recognise(known, packet, "ssh")
        else:
            self.malformed += 1

    def _know(self, packet: Packet) -> _Connection:
        """The connection of a packet, which becomes the one that is forgotten last."""
        ends = ends_of(packet)
        known = self._connections.pop(ends, None)
        if known is None:
            known = _Connection(ends)
            if len(self._connections) >= self._options.connections:
                self._evict()
        self._connections[ends] = known
        known.seen_at_ns = packet.seen_at_ns
        return known

    def _evict(self) -> None:
        oldest = self._connections.pop(next(iter(self._connections)))
        self._overflowed += len(oldest.talk.waiting)
        self._end(oldest, _NO_TIME)

    def _end(self, known: _Connection, before_ns: int) -> None:
        """Tell its requests that have waited for too long."""
        before = len(known.talk.waiting)
        self._add(known.talk.give_up(before_ns))
        self._waiting += len(known.talk.waiting) - before

    def _recognise(self, known: _Connection, packet: Packet, name: str) -> None:
        if not known.name or (known.name == _HTTP2 and name == _GRPC):
            known.name = name
            self._recognised.append(Recognised(packet.client, packet.dialled, packet.protocol, name))

    def _begins(self, known: _Connection, packet: Packet) -> bool:
        """Whether this packet begins a connection, and is no retransmit or second hello of one."""
        if known.begin_sequence is not None and is_near(packet.sequence, known.begin_sequence):
            return False
        known.begin_sequence = packet.sequence
        return True

    def _told(self, ends: Ends, head: RequestHead) -> RequestHead:
        """The head as it may be told: its path a template, and what is secret hidden."""
        path, has_query, query = head.path.partition("?")
        template = template_of(path, head.is_path_cut and not has_query)
        if has_query and self._options.keep_query:
            template = f"{template}?{query}"[:LONGEST]
        if template:
            template = self._disguise.path(self._routes.admit(ends.server, template))
        told = self._disguise.head(head)
        return told if told.path == template else RequestHead(told.method, told.host, template, *told[3:])

    def _add(self, exchanges: Sequence[Exchange]) -> None:
        for exchange in exchanges:
            self._summary.add(exchange)
