"""Hostile captures: nothing is raised, what is held is bounded, what lies is counted, what is honest comes out."""

import io
from typing import Any

import fastavro
import pytest

from agents.node.application.options import ApplicationOptions
from agents.node.application.table import ApplicationTable
from agents.node.dns.table import DnsTable
from agents.node.payload.packet import Kind, Packet
from agents.publish.column import ColumnEncoder
from schemas.schema import read_schema
from schemas.topic import DNS_RAW, L7_RAW
from tests.unit.agents.node.hostile.capture import shown
from tests.unit.agents.node.hostile.captures import CAPTURES, path_of
from tests.unit.agents.node.hostile.pcap import parse

DNS_KINDS = {Kind.DNS_QUERY, Kind.DNS_ANSWER}
END_NS = 1_700_000_100_000_000_000


class Tables:
    """Both, as the watch feeds them."""

    def __init__(self) -> None:
        self.dns = DnsTable()
        self.applications = ApplicationTable(ApplicationOptions())

    def note(self, packets: list[Packet]) -> None:
        self.dns.note([packet for packet in packets if packet.kind in DNS_KINDS])
        self.applications.note([packet for packet in packets if packet.kind not in DNS_KINDS])

    @property
    def malformed(self) -> int:
        return self.dns.malformed + self.applications.malformed

    def rows(self) -> list[dict[str, Any]]:
        """Of either topic, as who reads it has them."""
        found = []
        for table, topic in ((self.dns, DNS_RAW), (self.applications, L7_RAW)):
            schema = read_schema(topic.schema)
            for row in ColumnEncoder(schema).encode(table.take_report(END_NS, flush=True)):
                record = fastavro.schemaless_reader(io.BytesIO(row), schema, None)
                assert isinstance(record, dict)
                found.append(record)
        return found


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_in_the_repository_is_the_one_that_is_written(name: str) -> None:
    again = "run: python -m tests.unit.agents.node.hostile.captures"
    assert path_of(name).read_bytes() == CAPTURES[name]().render(), again


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("name", CAPTURES)
def test_honest_exchanges_come_out_and_lies_are_counted(name: str, size: int) -> None:
    capture, tables = CAPTURES[name](), Tables()
    packets = shown(parse(path_of(name).read_bytes()))
    step = len(packets) if capture.is_one_read else size
    for at in range(0, len(packets), step):
        tables.note(packets[at : at + step])
    assert len(tables.dns) + len(tables.applications) <= len(packets)
    rows = [tuple(row.get(field) for field in capture.fields) for row in tables.rows()]
    missing = [row for row in capture.honest if rows.count(row) != capture.honest.count(row)]
    assert missing == []
    assert tables.malformed == capture.malformed
    assert len(tables.applications) == 0
    assert len(tables.dns) == 0
