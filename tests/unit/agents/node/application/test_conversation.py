"""Requests find their answers on a connection, whatever is missing, repeated or out of order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.options import ApplicationOptions
from agents.node.application.table import ApplicationTable
from agents.node.payload.packet import Kind
from tests.support.application import (
    SECOND,
    packet,
    report,
    request,
    response,
    told,
)

MS = 1_000_000


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


@given(st.permutations(range(6)), st.data())
def test_a_batch_in_any_order_of_each_side_gives_the_same_exchanges(order: list[int], data: st.DataObject) -> None:
    asked = [request(f"/{'abcdef'[n]}", SECOND, 1000 + 100 * n, acknowledgement=5000) for n in range(6)]
    answered = [response(200 + n, 2 * SECOND, 5000 + 100 * n) for n in range(6)]
    table = ApplicationTable(ApplicationOptions())
    answer_order = data.draw(st.permutations(range(6)))
    table.note([*(asked[n] for n in order), *(answered[n] for n in answer_order)])
    rows = sorted(told(report(table), "path", "status"))
    assert rows == [(f"/{'abcdef'[n]}", 200 + n) for n in range(6)]
