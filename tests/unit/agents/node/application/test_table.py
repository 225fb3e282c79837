"""Packets become exchanges: matched in order, counted once, bounded."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hpack import Encoder
from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.http2 import PREFACE
from agents.node.application.options import ApplicationOptions, Treatment
from agents.node.application.recognised import Recognised
from agents.node.application.table import ApplicationTable
from agents.node.payload.packet import End, Kind, Packet
from agents.node.report.columns import REPORT
from agents.node.report.key import flow_keys
from tests.support.application import (
    CLIENT,
    DIALLED,
    MAPPED,
    SECOND,
    SERVER,
    packet,
    report,
    request,
    response,
    told,
)
from tests.unit.agents.node.application.test_hello import record
from tests.unit.agents.node.application.test_http2 import FIELDS, frame

MS = 1_000_000


@pytest.fixture
def table() -> ApplicationTable:
    return ApplicationTable(ApplicationOptions())


def test_a_request_and_its_response_are_an_exchange(table: ApplicationTable) -> None:
    headers = {"Host": "shop", "User-Agent": "curl/8", "X-Request-ID": "r-1", "traceparent": "00-1-2-01"}
    recognised = table.note([request("/users/42?q=secret", headers=headers), response(404, SECOND + 7 * MS)])
    assert recognised == [Recognised(CLIENT, DIALLED, 6, "http")]
    [row] = report(table)
    key = row.pop("flow_key")
    assert key
    assert row == {
        "client_address": "10.0.0.1",
        "client_port": 40000,
        "server_address": "10.0.1.2",
        "server_port": 8080,
        "dialled_address": "10.96.0.1",
        "dialled_port": 80,
        "protocol": "http",
        "method": "GET",
        "host": "shop",
        "path": "/users/{id}",
        "status": 404,
        "tls_version": "",
        "tls_alpn": [],
        "tls_ja4": "",
        "user_agent": "curl/8",
        "count": 1,
        "latency_us": [7000],
        "timed": 1,
        "latency_sum_us": 7000,
        "latency_max_us": 7000,
        "first_seen_at_ns": SECOND,
        "last_seen_at_ns": SECOND + 7 * MS,
        "request_id": "r-1",
        "trace_parent": "00-1-2-01",
        "http_version": "1.1",
    }
    assert report(table) == []


def test_the_flow_key_is_that_of_the_connections_report(table: ApplicationTable) -> None:
    answered = End(0, MAPPED | 0x0A000909, 61000)
    table.note([request(zone=7, answered=answered), response(zone=7, answered=answered)])
    reports = np.zeros(1, REPORT)
    reports["protocol"], reports["zone"] = 6, 7
    for name, end in (("reply_source", SERVER), ("reply_destination", answered)):
        reports[f"{name}_high"], reports[f"{name}_low"], reports[f"{name}_port"] = end
    assert told(report(table), "flow_key") == [(int(flow_keys(reports)[0]),)]


def test_both_families_are_told(table: ApplicationTable) -> None:
    client, server = End(0xFD00 << 48, 1, 40000), End(0xFD00 << 48, 2, 80)
    ends = {"client": client, "dialled": server, "server": server}
    table.note([request(**ends), response(answered=client, **ends)])
    assert told(report(table), "client_address", "server_address", "dialled_address") == [
        ("fd00::1", "fd00::2", "fd00::2")
    ]


def test_a_connection_that_is_kept_alive_matches_in_order(table: ApplicationTable) -> None:
    packets = []
    for turn in range(4):
        packets.append(request(f"/{'abcd'[turn]}", (2 * turn + 1) * SECOND, 1000 + 100 * turn))
        packets.append(response(200 + turn, (2 * turn + 2) * SECOND, 5000 + 100 * turn))
    assert len(table.note(packets)) == 1, "what it speaks is told once"
    rows = report(table, 20 * SECOND)
    assert told(rows, "path", "status") == [("/a", 200), ("/b", 201), ("/c", 202), ("/d", 203)]


def test_pipelined_requests_match_in_order(table: ApplicationTable) -> None:
    both = packet(Kind.HTTP_REQUEST, b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n", acknowledgement=5000)
    table.note([both, request("/c", sequence=1100, acknowledgement=5000)])
    answers = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    table.note(
        [packet(Kind.HTTP_RESPONSE, answers, sequence=5000, seen_at_ns=2 * SECOND), response(404, sequence=5100)]
    )
    assert told(report(table), "path", "status") == [("/a", 200), ("/b", 500), ("/c", 404)]


def test_interim_answers_are_skipped(table: ApplicationTable) -> None:
    table.note([request("/upload", method="POST"), response(100), response(103, sequence=5050)])
    table.note([response(201, 3 * SECOND, 5100)])
    assert told(report(table), "status", "latency_us") == [(201, [2_000_000])]


def test_answers_to_head_have_no_body(table: ApplicationTable) -> None:
    table.note([request("/a", method="HEAD"), response(200, headers={"Content-Length": "1000"})])
    table.note([request("/b", 3 * SECOND, 1100), response(204, 4 * SECOND, 5060)])
    assert told(report(table), "method", "path", "status") == [("HEAD", "/a", 200), ("GET", "/b", 204)]


def test_bytes_within_a_body_are_no_message(table: ApplicationTable) -> None:
    table.note([request("/a", method="POST", headers={"Content-Length": "5000"}), request("/fake", sequence=2500)])
    table.note([response(200, headers={"Content-Length": "9000"}), response(500, sequence=6500)])
    table.note([request("/b", 3 * SECOND, 7000), response(201, 4 * SECOND, 15000)])
    assert told(report(table), "path", "status") == [("/a", 200), ("/b", 201)]


@pytest.mark.parametrize(("method", "target", "status"), [("GET", "/chat", 101), ("CONNECT", "db:1", 200)])
def test_a_switch_of_protocols_ends_its_exchange(
    table: ApplicationTable, method: str, target: str, status: int
) -> None:
    table.note([request(target, method=method), response(status, headers={"Content-Length": "9000"})])
    table.note([request("/x", 3 * SECOND, 1100), response(204, 4 * SECOND, 5100)])
    assert told(report(table), "method", "status", "count") == [(method, status, 1), ("GET", 204, 1)]


def test_another_connection_of_the_same_ends_takes_no_answer_from_the_first(table: ApplicationTable) -> None:
    table.note([request("/a", sequence=1_500_000_000), request("/b", 2 * SECOND, 1000), response(200, 3 * SECOND)])
    assert told(report(table), "path", "status") == [("/a", 0), ("/b", 200)]


def test_a_request_that_was_sent_again_is_one(table: ApplicationTable) -> None:
    table.note([request("/a"), request("/a", 2 * SECOND), response(200, 3 * SECOND), response(200, 4 * SECOND)])
    table.note([request("/a", 5 * SECOND)])
    assert told(report(table, flush=True), "count", "status", "latency_us") == [(1, 200, [2_000_000])]


def test_packets_that_overtook_each_other_are_put_in_order(table: ApplicationTable) -> None:
    table.note(
        [
            request("/b", SECOND + MS, 1100, acknowledgement=5000),
            request("/a", SECOND + 2 * MS, 1000, acknowledgement=5000),
            response(404, 2 * SECOND + MS, 5100),
            response(200, 2 * SECOND + 2 * MS, 5000),
        ]
    )
    assert told(report(table), "path", "status") == [("/a", 200), ("/b", 404)]


def test_sequence_numbers_come_round(table: ApplicationTable) -> None:
    last = (1 << 32) - 50
    table.note([request("/a", SECOND, last), response(200, 2 * SECOND, last)])
    table.note([request("/b", 3 * SECOND, 10), response(201, 4 * SECOND, 20)])
    assert told(report(table), "path", "status") == [("/a", 200), ("/b", 201)]


def test_an_answer_that_was_not_shown_does_not_shift_the_next(table: ApplicationTable) -> None:
    table.note([request("/a", acknowledgement=5000), request("/b", 2 * SECOND, 1100, acknowledgement=5300)])
    table.note([response(503, 3 * SECOND, 5300)])
    assert told(report(table), "path", "status") == [("/a", 0), ("/b", 503)]


def test_a_request_that_was_not_shown_does_not_shift_its_answer(table: ApplicationTable) -> None:
    table.note([request("/b", acknowledgement=5300), response(503, 2 * SECOND, 5000)])
    table.note([response(200, 3 * SECOND, 5300)])
    assert told(report(table), "path", "status") == [("", 503), ("/b", 200)]


def test_an_answer_whose_request_came_before_the_agent_is_told_without_it(table: ApplicationTable) -> None:
    table.note([response(500)])
    assert told(report(table), "method", "path", "status", "count", "timed") == [("", "", 500, 1, 0)]


def test_a_request_without_answer_is_told_after_half_a_minute(table: ApplicationTable) -> None:
    table.note([request("/slow")])
    assert report(table, 31 * SECOND - 1) == []
    assert told(report(table, 31 * SECOND), "path", "status", "count", "timed") == [("/slow", 0, 1, 0)]
    table.note([response(200, 40 * SECOND)])
    assert report(table, 41 * SECOND) == [], "one exchange is told once"


def test_a_flush_tells_all_that_waits(table: ApplicationTable) -> None:
    table.note([request("/a")])
    assert told(report(table, flush=True), "path", "status") == [("/a", 0)]
    assert len(table) == 0


@pytest.mark.parametrize("side", ["request", "response"])
def test_without_the_kernels_time_there_is_no_latency(table: ApplicationTable, side: str) -> None:
    table.note(
        [request(has_kernel_time=side != "request"), response(at_ns=SECOND // 2, has_kernel_time=side != "response")]
    )
    assert told(report(table), "status", "count", "timed", "latency_us") == [(200, 1, 0, [])]


def test_alike_exchanges_are_summed_and_the_slowest_is_named(table: ApplicationTable) -> None:
    for turn, latency_ms in enumerate((5, 80, 20)):
        client = End(CLIENT.high, CLIENT.low, 40000 + turn)
        at_ns = (turn + 1) * SECOND
        headers = {"Host": "shop", "X-Request-ID": f"r-{turn}", "User-Agent": f"ua-{turn}"}
        table.note(
            [
                request(f"/users/{turn}", at_ns, client=client, headers=headers),
                response(200, at_ns + latency_ms * MS, client=client),
            ]
        )
    [row] = report(table, 10 * SECOND)
    assert (row["count"], row["timed"], row["latency_us"]) == (3, 3, [5000, 80000, 20000])
    assert (row["latency_sum_us"], row["latency_max_us"], row["request_id"]) == (105_000, 80_000, "r-1")
    assert (row["user_agent"], row["client_port"]) == ("ua-2", 40002)
    assert (row["first_seen_at_ns"], row["last_seen_at_ns"]) == (SECOND, 3 * SECOND + 20 * MS)


@given(st.integers(1, 1000))
def test_the_sample_of_latencies_is_even(count: int) -> None:
    table = ApplicationTable(ApplicationOptions())
    for turn in range(count):
        at_ns = (turn + 1) * SECOND
        table.note([request("/", at_ns, 1000 + 100 * turn), response(200, at_ns + turn * 1000, 5000 + 100 * turn)])
    [row] = report(table, (count + 1) * SECOND)
    sample = row["latency_us"]
    assert row["timed"] == count
    assert len(sample) == count if count <= 64 else 32 <= len(sample) <= 64
    assert len({late - early for early, late in pairwise(sample)}) <= 1


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


def test_a_query_is_kept_when_asked_for() -> None:
    table = ApplicationTable(ApplicationOptions(keep_query=True))
    table.note([request("/a/1?b=2")])
    assert told(report(table, flush=True), "path") == [("/a/{id}?b=2",)]


def test_what_is_secret_is_hashed_or_dropped() -> None:
    options = ApplicationOptions(
        paths=Treatment.HASH,
        hosts=Treatment.HASH,
        user_agents=Treatment.DROP,
        request_ids=Treatment.DROP,
        hash_key=b"k" * 100,
    )
    headers = {"Host": "shop", "User-Agent": "curl", "X-Request-ID": "r"}

    def row_of(with_options: ApplicationOptions) -> tuple[str, ...]:
        table = ApplicationTable(with_options)
        table.note([request("/users/1", headers=headers)])
        [row] = told(report(table, flush=True), "path", "host", "user_agent", "request_id")
        return row

    row = row_of(options)
    assert all(re.fullmatch(r"[0-9a-f]{16}", text) for text in row[:2])
    assert row[2:] == ("", "")
    assert row_of(options) == row
    assert row_of(replace(options, hash_key=b"another"))[0] != row[0]


def clients(count: int) -> list[End]:
    return [End(0, MAPPED | 0x0A000000 | number, 40000) for number in range(count)]


def test_rows_beyond_the_limit_are_folded_by_server_and_counted() -> None:
    table = ApplicationTable(ApplicationOptions(rows=2, folded_rows=1))
    for client in clients(5):
        table.note([request(client=client), response(204, client=client)])
    table.note([request(client=SERVER), response(500, client=SERVER)])
    rows = report(table)
    assert told(rows, "path", "status", "count") == [("/", 204, 1), ("/", 204, 1), ("{*}", 200, 3)]
    assert table.overflowed == 4


def test_requests_beyond_the_limits_are_counted() -> None:
    table = ApplicationTable(ApplicationOptions(waiting_per_connection=2, waiting=3))
    for client in clients(3):
        table.note([packet(Kind.HTTP_REQUEST, b"GET / HTTP/1.1\r\n\r\n" * 3, client=client)])
    assert table.overflowed == 6
    assert sum(row["count"] for row in report(table, flush=True)) == 3
    table.note([packet(Kind.HTTP_REQUEST, b"GET / HTTP/1.1\r\n\r\n" * 2)])
    assert sum(row["count"] for row in report(table, flush=True)) == 2, "there is room again"


def test_connections_beyond_the_limit_push_out_the_quietest() -> None:
    table = ApplicationTable(ApplicationOptions(connections=2))
    first, second, third = clients(3)
    table.note([request("/a", client=first), request("/b", client=second), request("/c", SECOND, 1100, client=first)])
    table.note([request("/d", client=third)])
    assert (len(table), table.overflowed) == (2, 1)
    assert told(report(table), "path", "status") == [("/b", 0)]


def test_quiet_connections_are_forgotten(table: ApplicationTable) -> None:
    table.note([request(), response()])
    report(table, 100 * SECOND)
    assert len(table) == 1
    report(table, 200 * SECOND)
    assert len(table) == 0


KINDS = st.sampled_from(list(Kind))
BEGINNINGS = st.sampled_from(
    [b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", PREFACE, record(), b"SSH-2.0", b""]
)
HOSTILE = st.builds(
    lambda kind, begin, rest, **fields: packet(kind, begin + rest, **fields),
    KINDS,
    BEGINNINGS,
    st.binary(max_size=40),
    is_reply=st.booleans(),
    sequence=st.integers(0, 2**32 - 1) | st.integers(0, 300),
    acknowledgement=st.integers(0, 2**32 - 1) | st.integers(0, 300),
    seen_at_ns=st.integers(0, 100 * SECOND),
    has_kernel_time=st.booleans(),
    client=st.sampled_from(clients(4)),
)


@given(st.lists(st.lists(HOSTILE, max_size=20), max_size=5))
def test_whatever_comes_is_bounded_and_ends(batches: list[list[Packet]]) -> None:
    options = ApplicationOptions(connections=3, waiting=4, waiting_per_connection=2, rows=3, folded_rows=2)
    table = ApplicationTable(options)
    for number, batch in enumerate(batches):
        assert len(table.note(batch)) <= len(batch)
        assert len(table) <= 3
        rows = report(table, number * 20 * SECOND)
        assert len(rows) <= 5
        assert all(row["timed"] <= row["count"] and row["latency_max_us"] >= 0 for row in rows)
    report(table, flush=True)
    assert len(table) == 0


@given(st.permutations(range(6)), st.data())
def test_a_batch_in_any_order_of_each_side_gives_the_same_exchanges(order: list[int], data: st.DataObject) -> None:
    asked = [request(f"/{'abcdef'[n]}", SECOND, 1000 + 100 * n, acknowledgement=5000) for n in range(6)]
    answered = [response(200 + n, 2 * SECOND, 5000 + 100 * n) for n in range(6)]
    table = ApplicationTable(ApplicationOptions())
    answer_order = data.draw(st.permutations(range(6)))
    table.note([*(asked[n] for n in order), *(answered[n] for n in answer_order)])
    rows = sorted(told(report(table), "path", "status"))
    assert rows == [(f"/{'abcdef'[n]}", 200 + n) for n in range(6)]
