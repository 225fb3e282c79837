"""What HTTP costs the node agent: exchanges through the table, against a bare loop that reads the same heads.

Both get packets as the capture gives them and use httptools. The bare loop makes a dictionary of each head and throws
it away: no connections, no matching, no templates, no sums, no rows.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httptools

from agents.node.application.options import ApplicationOptions
from agents.node.application.table import ApplicationTable
from agents.node.payload.packet import End, Kind, Packet
from agents.publish.column import ColumnEncoder
from schemas.schema import read_schema
from tests.support.application import MAPPED, SECOND, request, response

CONNECTIONS, TURNS = 200, 50
EXCHANGES = CONNECTIONS * TURNS
BATCH = 500
"""Packets that one read of the capture brings."""
RUNS = 5
MOST_MS = 50
"""1,000 exchanges a second take no more of a core than all else that the agent does: a twentieth."""
HEADERS = {
    "Host": "shop.example.com",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0",
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, deflate, br",
    "X-Request-ID": "6f0d2a1e-2f7c-4a53-9f5d-0c6b8c1f3a10",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "Content-Type": "application/json",
}
ANSWER = {"Content-Type": "application/json", "Content-Length": "512", "Date": "Mon, 01 Jan 2024 00:00:00 GMT"}


def run() -> list[dict[str, Any]]:
    """CPU time of one thread."""
    packets = traffic()
    ours = min(cpu_of(lambda: table_path(packets)) for _ in range(RUNS))
    bare = min(cpu_of(lambda: bare_loop(packets)) for _ in range(RUNS))
    cost_ms = 1000 * 1000 * ours / EXCHANGES
    return [
        {
            "name": "agent.application",
            "value": cost_ms,
            "unit": "ms of a core for 1,000 HTTP exchanges, packets to encoded rows",
            "ratio": ours / bare,
            "against": "httptools and a dictionary for each head, and no more",
            "aim": f"at most {MOST_MS} ms",
            "holds": cost_ms <= MOST_MS,
        }
    ]


def traffic() -> list[Packet]:
    """Connections that are kept alive, whose requests and responses alternate."""
    clients = [End(0, MAPPED | 0x0A000100 | number % 250, 30000 + number) for number in range(CONNECTIONS)]
    packets = []
    for turn in range(TURNS):
        for number, client in enumerate(clients):
            at_ns = (1 + turn) * SECOND + number * 1000
            ask, answer = 1000 + 1000 * turn, 5000 + 1000 * turn
            status = 404 if number % 20 == 0 else 200
            path = f"/api/v1/users/{number * TURNS + turn}/orders?page={turn}"
            packets += [
                request(path, at_ns, ask, client=client, headers=HEADERS, acknowledgement=answer),
                response(status, at_ns + 700_000, answer, client=client, headers=ANSWER),
            ]
    return packets


def table_path(packets: Sequence[Packet]) -> None:
    """As the watch calls it: by batches, then the interval's report and its rows."""
    table = ApplicationTable(ApplicationOptions())
    for at in range(0, len(packets), BATCH):
        table.note(packets[at : at + BATCH])
    ColumnEncoder(read_schema("l7_exchange")).encode(table.take_report((TURNS + 2) * SECOND, flush=True))


class Head:
    """What the parser calls."""

    def __init__(self) -> None:
        self.found: dict[bytes, bytes] = {}

    def on_url(self, url: bytes) -> None:
        self.found[b"url"] = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.found[name] = value


def bare_loop(packets: Sequence[Packet]) -> None:
    """A parser for each packet, as nothing is known of what lies between two of them."""
    for packet in packets:
        is_request = packet.kind is Kind.HTTP_REQUEST
        parser = (httptools.HttpRequestParser if is_request else httptools.HttpResponseParser)(Head())
        parser.feed_data(packet.payload)


def cpu_of(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
