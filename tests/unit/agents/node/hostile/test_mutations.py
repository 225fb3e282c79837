"""Captures that were tampered with: bits flipped, packets cut, repeated, left out and exchanged."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.node.application.options import ApplicationOptions
from agents.node.application.table import ApplicationTable
from tests.unit.agents.node.hostile.capture import shown
from tests.unit.agents.node.hostile.captures import CAPTURES, path_of
from tests.unit.agents.node.hostile.pcap import Record, parse
from tests.unit.agents.node.hostile.test_captures import Tables

SMALL = ApplicationOptions(connections=8, waiting=6, waiting_per_connection=3, rows=20, folded_rows=5)
MOST_PACKETS = 40
Change = Callable[[list[Record], st.DataObject], list[Record]]


@cache
def recorded(name: str) -> tuple[Record, ...]:
    return tuple(parse(path_of(name).read_bytes()))


def place(records: list[Record], data: st.DataObject) -> int:
    return data.draw(st.integers(0, len(records) - 1))


def flipped(records: list[Record], data: st.DataObject) -> list[Record]:
    at = place(records, data)
    packet = bytearray(records[at].packet)
    for _ in range(data.draw(st.integers(1, 8))):
        packet[data.draw(st.integers(0, len(packet) - 1))] ^= data.draw(st.integers(1, 255))
    return [*records[:at], records[at]._replace(packet=bytes(packet)), *records[at + 1 :]]


def cut(records: list[Record], data: st.DataObject) -> list[Record]:
    at = place(records, data)
    packet = records[at].packet
    kept = records[at]._replace(packet=packet[: data.draw(st.integers(1, len(packet)))])
    return [*records[:at], kept, *records[at + 1 :]]


def repeated(records: list[Record], data: st.DataObject) -> list[Record]:
    at = place(records, data)
    return [*records[:at], *[records[at]] * data.draw(st.integers(2, 5)), *records[at + 1 :]]


def exchanged(records: list[Record], data: st.DataObject) -> list[Record]:
    at, to = place(records, data), place(records, data)
    moved = list(records)
    moved.insert(to, moved.pop(at))
    return moved


def dropped(records: list[Record], data: st.DataObject) -> list[Record]:
    at = place(records, data)
    return [*records[:at], *records[at + 1 :]] or records


def texts_of(row: dict[str, Any]) -> list[str]:
    lists = [value if isinstance(value, list) else [value] for value in row.values()]
    return [text for texts in lists for text in texts if isinstance(text, str)]


CHANGES: list[Change] = [flipped, cut, repeated, exchanged, dropped]


@pytest.mark.parametrize("name", CAPTURES)
@given(data=st.data())
@settings(max_examples=60)
def test_a_capture_that_was_tampered_with_does_no_harm(name: str, data: st.DataObject) -> None:
    whole = recorded(name)
    begin = data.draw(st.integers(0, max(len(whole) - MOST_PACKETS, 0)))
    records = list(whole[begin : begin + MOST_PACKETS])
    for change in data.draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=12)):
        records = change(records, data)
    packets = shown(records)
    tables = Tables()
    tables.applications = ApplicationTable(SMALL)
    size = data.draw(st.integers(1, 20))
    for at in range(0, len(packets), size):
        tables.note(packets[at : at + size])
        assert len(tables.applications) <= SMALL.connections
        assert len(tables.dns) <= len(packets)
    rows = tables.rows()
    told = [row for row in rows if "tls_ja4" in row]
    assert len(told) <= SMALL.rows + SMALL.folded_rows
    assert all(row["timed"] <= row["count"] and row["latency_max_us"] >= 0 for row in rows)
    assert all(len(row["answers"]) <= 32 and len(row["name"]) <= 1024 for row in rows if "tls_ja4" not in row)
    assert all(text.isprintable() for row in rows for text in texts_of(row))
    assert len(tables.dns) + len(tables.applications) == 0
