"""Packets of applications, as the capture shows them, and the rows that come of them."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import fastavro

from agents.node.application.table import ApplicationTable
from agents.node.payload.packet import End, Kind, Packet
from agents.publish.column import ColumnEncoder
from schemas.schema import read_schema

MAPPED = 0xFFFF_0000_0000
CLIENT = End(0, MAPPED | 0x0A000001, 40000)
DIALLED = End(0, MAPPED | 0x0A600001, 80)
SERVER = End(0, MAPPED | 0x0A000102, 8080)
SECOND = 1_000_000_000
_REPLIES = {Kind.HTTP_RESPONSE}


def packet(kind: Kind, payload: bytes, **fields: Any) -> Packet:
    """From 10.0.0.1, who dialled 10.96.0.1:80 and reached 10.0.1.2:8080, at 1 s."""
    client = fields.pop("client", CLIENT)
    known: dict[str, Any] = {
        "protocol": 6,
        "zone": 0,
        "client": client,
        "dialled": DIALLED,
        "server": SERVER,
        "answered": client,
        "is_reply": kind in _REPLIES,
        "sequence": 1000,
        "payload_bytes": len(payload),
        "seen_at_ns": SECOND,
        "has_exact_time": True,
    }
    return Packet(kind=kind, payload=payload, **{**known, **fields})


def request(path: str = "/", at_ns: int = SECOND, sequence: int = 1000, **fields: Any) -> Packet:
    method = fields.pop("method", "GET")
    headers = "".join(f"{name}: {value}\r\n" for name, value in fields.pop("headers", {"Host": "shop"}).items())
    payload = f"{method} {path} HTTP/1.1\r\n{headers}\r\n".encode()
    return packet(Kind.HTTP_REQUEST, payload, seen_at_ns=at_ns, sequence=sequence, **fields)


def response(status: int = 200, at_ns: int = 2 * SECOND, sequence: int = 5000, **fields: Any) -> Packet:
    headers = "".join(f"{name}: {value}\r\n" for name, value in fields.pop("headers", {}).items())
    payload = f"HTTP/1.1 {status} Word\r\n{headers}\r\n".encode()
    return packet(Kind.HTTP_RESPONSE, payload, seen_at_ns=at_ns, sequence=sequence, **fields)


def report(table: ApplicationTable, now_ns: int = 3 * SECOND, flush: bool = False) -> list[dict[str, Any]]:
    """The rows as who reads the topic has them."""
    schema = read_schema("l7_exchange")
    encoded = ColumnEncoder(schema).encode(table.take_report(now_ns, flush))
    return [decoded(schema, row) for row in encoded]


def decoded(schema: Any, row: bytes) -> dict[str, Any]:
    record = fastavro.schemaless_reader(BytesIO(row), schema, None)
    assert isinstance(record, dict)
    return record


def told(rows: Iterable[dict[str, Any]], *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(row[field] for field in fields) for row in rows]
