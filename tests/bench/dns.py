"""What DNS costs the node agent: from log messages of the kernel to encoded rows, against dnspython alone.

The bare loop decodes the same messages and throws them away: no log messages, no pairing, no texts, no sums, no rows.
Names that nobody asked for before are the worst case; usual is that clients ask for the names of their services again
and again, by way of a search path.
"""

import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import dns.message

from agents.node.dns.table import DnsTable
from agents.node.payload.parse import parse_message
from agents.publish.column import ColumnEncoder
from schemas.schema import read_schema
from tests.unit.agents.node.attempt.packets import UDP, direction, ipv4, message
from tests.unit.agents.node.dns.packets import START_NS, answer, query

EXCHANGES = 5_000
CLIENTS = 100
BATCH = 500
"""Packets that one read of the capture brings."""
RUNS = 5
MOST = 0.5
"""Of what decoding alone takes whoever captures DNS in Python; about a third is reading the log messages."""
SERVICES = 40
SEARCHED = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")
_TIMESTAMP, _TRACKED, _TRACKED_INFO = 3, 18, 19
_FIRST_REPLY = 3
_SERVICE, _SERVER = "10.96.0.10", "10.0.1.9"
_DNS_PORT = 53
Messages = list[tuple[bytes, bytes]]
"""DNS messages, each with the log message that shows it."""


def run() -> list[dict[str, Any]]:
    """CPU time of one thread."""
    return [
        figure("agent.dns", "each for a name of its own", traffic(distinct)),
        figure("agent.dns.usual", "nine of ten for the name of a service", traffic(usual)),
    ]


def figure(name: str, kind: str, messages: Messages) -> dict[str, Any]:
    logged, bare = [shown for _, shown in messages], [payload for payload, _ in messages]
    ours = min(cpu_of(lambda: agent_path(logged)) for _ in range(RUNS))
    theirs = min(cpu_of(lambda: bare_loop(bare)) for _ in range(RUNS))
    return {
        "name": name,
        "value": 1000 * 1000 * ours / EXCHANGES,
        "unit": f"ms of a core for 1,000 DNS exchanges, {kind}, log messages to encoded rows",
        "ratio": ours / theirs,
        "against": "dnspython decodes each query and answer, and no more",
        "aim": f"at most {MOST:g} times",
        "holds": ours <= MOST * theirs,
    }


def traffic(exchange_of: Callable[[int], tuple[bytes, bytes]]) -> Messages:
    """Each query followed by its answer."""
    return [found for number in range(EXCHANGES) for found in _shown(number, *exchange_of(number))]


def distinct(number: int) -> tuple[bytes, bytes]:
    """As a crawler or a mail server asks."""
    name = f"host-{number}.customers.example.com."
    asked = query(name, "AAAA" if number % 2 else "A", number % 0x10000)
    target = f"edge-{number}.example.net."
    data = f"2001:db8::{number:x}" if number % 2 else f"198.51.{number >> 8 & 255}.{number & 255}"
    return asked, answer(asked, (name, "CNAME", target), (target, "AAAA" if number % 2 else "A", data))


def usual(number: int) -> tuple[bytes, bytes]:
    """As pods ask, with ``ndots:5``: most names of the search path do not exist."""
    service = f"service-{number % SERVICES}" if number % 10 else f"random-{number}"
    searched = SEARCHED[number % len(SEARCHED)]
    name = f"{service}.{searched}."
    asked = query(name, "AAAA" if number % 2 else "A", number % 0x10000)
    if searched != SEARCHED[0] or number % 2:
        return asked, answer(asked, code=3)
    return asked, answer(asked, (name, "A", f"10.96.1.{number % SERVICES}"))


def _shown(number: int, asked: bytes, said: bytes) -> Messages:
    """As the kernel logs them before destination NAT: with its time, and with conntrack's tuples."""
    client, port = f"10.0.0.{number % CLIENTS}", 30_000 + number // CLIENTS
    tracked = direction(1, client, _SERVICE, port, _DNS_PORT) + direction(2, _SERVER, client, _DNS_PORT, port)
    there = ipv4(client, _SERVICE, UDP, _udp(port, _DNS_PORT, asked))
    back = ipv4(_SERVER, client, UDP, _udp(_DNS_PORT, port, said))
    return [
        (asked, _log("q", there, tracked, 2 * number, 0)),
        (said, _log("a", back, tracked, 2 * number + 1, _FIRST_REPLY)),
    ]


def _log(prefix: str, packet: bytes, tracked: bytes, number: int, info: int) -> bytes:
    at_us = START_NS // 1000 + 500 * number
    timestamp = struct.pack("!QQ", *divmod(at_us, 1_000_000))
    extra = ((_TIMESTAMP, timestamp), (_TRACKED, tracked), (_TRACKED_INFO, struct.pack("!I", info)))
    return message(prefix, packet, *extra, sequence=number)


def _udp(source: int, destination: int, payload: bytes) -> bytes:
    return struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def agent_path(logged: Sequence[bytes]) -> None:
    """As the watch calls it: by batches, then the interval's report and its rows."""
    table = DnsTable()
    ended_ns = START_NS + EXCHANGES * 1_000_000
    for at in range(0, len(logged), BATCH):
        packets = [parse_message(one, ended_ns + 1_000_000_000) for one in logged[at : at + BATCH]]
        table.note([packet for packet in packets if packet is not None])
    rows = ColumnEncoder(read_schema("dns_exchange")).encode(table.take_report(ended_ns, flush=True))
    assert rows
    assert not table.malformed + table.overflowed


def bare_loop(payloads: Sequence[bytes]) -> None:
    """All that a capture without any thought decodes."""
    for payload in payloads:
        dns.message.from_wire(payload)


def cpu_of(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
