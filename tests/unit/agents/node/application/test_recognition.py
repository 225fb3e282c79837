"""What a connection speaks beside HTTP/1: TLS, HTTP/2, SSH, or nothing that its first bytes promise."""

from dataclasses import replace

import pytest
from hpack import Encoder

from agents.node.application.http2 import PREFACE
from agents.node.application.table import ApplicationTable
from agents.node.payload.packet import Kind
from tests.support.application import (
    packet,
    report,
    told,
)
from tests.unit.agents.node.application.test_hello import record
from tests.unit.agents.node.application.test_http2 import FIELDS, frame


def test_a_client_hello_is_a_row(table: ApplicationTable) -> None:
    hello = packet(Kind.TLS_HELLO, record())
    assert [one.name for one in table.note([hello, hello, replace(hello, sequence=1600)])] == ["tls"]
    [row] = report(table)
    assert (row["protocol"], row["host"], row["count"]) == ("tls", "shop.example", 1)
    assert (row["tls_version"], row["tls_alpn"]) == ("1.3", ["h2"])
    assert row["tls_ja4"] == "t13d1516h2_8daaf6152771_e5627efa2ab1"
    table.note([replace(hello, sequence=3_000_000_000)])
    assert told(report(table), "count") == [(1,)], "another connection of the same port"


@pytest.mark.parametrize(("content_type", "name"), [("application/grpc+proto", "grpc"), ("text/html", "http2")])
def test_http2_in_clear_is_told_by_its_first_heads(table: ApplicationTable, content_type: str, name: str) -> None:
    fields = [*FIELDS[:4], ("content-type", content_type), *FIELDS[5:]]
    first = packet(Kind.HTTP2_PREFACE, PREFACE + frame(1, 5, Encoder().encode(fields)))
    assert [one.name for one in table.note([first, first])] == [name]
    [row] = report(table)
    assert (row["protocol"], row["method"], row["path"]) == (name, "POST", "/shop.Cart/AddItem")
    assert (row["host"], row["status"], row["http_version"], row["count"]) == ("cart:50051", 0, "2", 1)


def test_the_first_heads_of_http2_may_come_behind_the_packet_of_the_preface(table: ApplicationTable) -> None:
    encoder = Encoder()
    parts = [PREFACE, *(frame(1, 5, encoder.encode(FIELDS), stream) for stream in (1, 3))]
    packets = [packet(Kind.HTTP2_PREFACE, part, sequence=1000 + 100 * turn) for turn, part in enumerate(parts)]
    assert [one.name for one in table.note(packets)] == ["http2", "grpc"]
    assert told(report(table), "protocol", "path", "count") == [("grpc", "/shop.Cart/AddItem", 1)]
    assert table.note([replace(packets[0], sequence=3_000_000_000), replace(packets[1], sequence=3_000_000_100)]) == []
    assert told(report(table), "protocol", "path", "count") == [("grpc", "/shop.Cart/AddItem", 1)], "the port again"
    assert table.malformed == 0


def test_frames_without_a_preface_are_nothing(table: ApplicationTable) -> None:
    assert table.note([packet(Kind.HTTP2_PREFACE, frame(1, 5, Encoder().encode(FIELDS)))]) == []
    assert (table.malformed, report(table)) == (1, [])


def test_ssh_is_recognised_and_no_exchange(table: ApplicationTable) -> None:
    assert [one.name for one in table.note([packet(Kind.SSH_BANNER, b"SSH-2.0-OpenSSH\r\n", is_reply=True)])] == ["ssh"]
    assert report(table) == []


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in {Kind.DNS_QUERY, Kind.DNS_ANSWER}])
def test_what_breaks_its_promise_is_counted(table: ApplicationTable, kind: Kind) -> None:
    assert table.note([packet(kind, b"\x00\x01")]) == []
    assert (table.malformed, report(table, flush=True)) == (1, [])
