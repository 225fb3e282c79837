"""A cluster of two nodes and an edge, and exchanges between them as nodes report them."""

from typing import Any

import polars as pl

from schemas.batch import Batch
from streams.exchange.name import name
from streams.exchange.report import Reports
from tests.support.objects import SECOND, directory_of, endpoint_slice, node, pod, service
from tests.support.parts import batch, dns_exchange, part

DIRECTORY = directory_of(
    node("node1", "192.168.0.1", "fd00:a::1", networks=("10.0.1.0/24", "fd00:1::/64")),
    node("node2", "192.168.0.2", "fd00:a::2", networks=("10.0.2.0/24", "fd00:2::/64")),
    node("edge", "192.168.0.3", "fd00:a::3"),
    pod("client", "10.0.1.7", "fd00:1::7", node="node1", workload={"kind": "Deployment", "name": "client"}),
    pod("beside", "10.0.1.8", "fd00:1::8", node="node1", workload={"kind": "Deployment", "name": "beside"}),
    pod("server", "10.0.2.8", "fd00:2::8", node="node2", workload={"kind": "Deployment", "name": "server"}),
    service("server", "10.96.0.1", "fd00:b::1", node_port=30080),
    endpoint_slice("server-x", "server", "server"),
)
FAMILIES = {
    "ipv4": {
        "client": "10.0.1.7", "beside": "10.0.1.8", "server": "10.0.2.8", "service": "10.96.0.1",
        "node1": "192.168.0.1", "edge": "192.168.0.3", "outside": "203.0.113.9", "unknown": "10.0.1.99",
    },
    "ipv6": {
        "client": "fd00:1::7", "beside": "fd00:1::8", "server": "fd00:2::8", "service": "fd00:b::1",
        "node1": "fd00:a::1", "edge": "fd00:a::3", "outside": "2001:db8::9", "unknown": "fd00:1::99",
    },
}  # fmt: skip


def asked(client: str, server: str, dialled: str = "", **facts: Any) -> dict[str, Any]:
    """A row of dns.raw: ten exchanges in the fifth second."""
    values: dict[str, Any] = {
        "client_address": client, "server_address": server, "dialled_address": dialled or server, "server_port": 53,
        "dialled_port": 53, "protocol": 17, "name": "a.example", "type": "A", "response_code": "NOERROR", "count": 10,
        "first_seen_at_ns": 5 * SECOND, "last_seen_at_ns": 6 * SECOND - 1, **facts,
    }  # fmt: skip
    return dns_exchange(**values)


def named(reporter: str, *rows: dict[str, Any], **facts: Any) -> pl.DataFrame:
    """Rows of one node's batch of the first ten seconds, named."""
    return name(part(batch(reporter, **facts), rows, schema="dns_exchange").rows, DIRECTORY)


def reports(*batches: Batch) -> Reports:
    found = Reports()
    for one in batches:
        found.note(one)
    return found
