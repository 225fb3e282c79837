"""Heads are read as far as they are there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.http1 import parse_requests, parse_responses

REQUEST = (
    b"POST /api/items?q=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: curl/8\r\nX-Request-ID: r-1\r\n"
    b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nContent-Type: application/json\r\n"
    b"Content-Length: 4\r\n\r\n{}{}"
)


def test_a_whole_request_is_told_whole() -> None:
    [head] = parse_requests(REQUEST)
    assert (head.method, head.path, head.host, head.version) == ("POST", "/api/items?q=1", "shop.example", "1.1")
    assert (head.user_agent, head.request_id, head.content_type) == ("curl/8", "r-1", "application/json")
    assert head.trace_parent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert head.message_bytes == len(REQUEST)
    assert not head.is_path_cut


@pytest.mark.parametrize("length", range(len(REQUEST)))
def test_a_cut_anywhere_leaves_what_came_before_it(length: int) -> None:
    begin = REQUEST[:length]
    heads = parse_requests(begin)
    if length <= len(b"POST "):
        assert not heads
        return
    [head] = heads
    assert head.method == "POST"
    assert "/api/items?q=1".startswith(head.path)
    assert head.is_path_cut == (b"HTTP" not in begin and not begin.endswith(b" ") and b"1 " not in begin)
    assert head.host == ("shop.example" if b"example\r\n" in begin else "")
    assert head.user_agent == ("curl/8" if b"curl/8\r\n" in begin else "")
    assert head.content_type == ("application/json" if b"json\r\n" in begin else "")


@pytest.mark.parametrize(
    ("line", "method", "host", "path"),
    [
        (b"CONNECT db.example:5432 HTTP/1.1", "CONNECT", "db.example:5432", ""),
        (b"OPTIONS * HTTP/1.1", "OPTIONS", "", "*"),
        (b"GET http://user:secret@shop.example/a/b HTTP/1.1", "GET", "shop.example", "/a/b"),
        (b"GET http://shop.example?a=b HTTP/1.0", "GET", "shop.example", "/?a=b"),
        (b"PROPFIND /dav HTTP/1.1", "PROPFIND", "", "/dav"),
    ],
)
def test_every_form_of_a_target_is_taken_apart(line: bytes, method: str, host: str, path: str) -> None:
    [head] = parse_requests(line + b"\r\n\r\n")
    assert (head.method, head.host, head.path) == (method, host, path)


def test_pipelined_requests_are_all_told() -> None:
    heads = parse_requests(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HT")
    assert [(head.path, head.host) for head in heads] == [("/1", "a"), ("/2", ""), ("/3", "")]


def test_a_thousand_pipelined_requests_are_bounded() -> None:
    assert len(parse_requests(b"GET / HTTP/1.1\r\n\r\n" * 1000)) == 128


def test_giant_heads_are_cut() -> None:
    [head] = parse_requests(b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n\r\n")
    assert (len(head.path), head.is_path_cut) == (2048, True)
    [head] = parse_requests(b"GET / HTTP/1.1\r\nUser-Agent: " + b"a" * 9000 + b"\r\nHost: " + b"b" * 5000 + b"\r\n\r\n")
    assert (len(head.user_agent), len(head.host)) == (256, 253)


@pytest.mark.parametrize(
    "payload", [b"", b"GET", b"GETTING / HTTP/1.1\r\n\r\n", b"GET passwd please\r\n", b"HTTP/1.1 200"]
)
def test_what_is_no_request_gives_none(payload: bytes) -> None:
    assert parse_requests(payload) == []


def test_an_error_behind_the_first_line_leaves_what_came_before_it() -> None:
    [head] = parse_requests(b"GET /a HTTP/1.1\r\nHost: b\r\nAccept: c\r\nbad header\r\n\r\n")
    assert (head.path, head.host) == ("/a", "b")


@pytest.mark.parametrize(
    ("payload", "statuses", "length"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", [200], 43),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", [404], -1),
        (b"HTTP/1.1 500", [500], -1),
        (b"HTTP/1.1 200\r\n\r\n", [200], -1),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", [100, 201], -1),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81\x05hello", [101], -1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", [200], -1),
        (b"HTTP/1.1 50", [], -1),
        (b"HTTP/2 200", [], -1),
        (b"HTTPS is good", [], -1),
    ],
)
def test_responses_tell_status_and_length(payload: bytes, statuses: list[int], length: int) -> None:
    heads = parse_responses(payload)
    assert [head.status for head in heads] == statuses
    if len(heads) == 1:
        assert heads[0].message_bytes == length


@given(st.sampled_from([b"GET /", b"POST / HTTP/1.1\r\n", b"", b"GET / HTTP/1.1\r\nContent-Length: "]), st.binary())
def test_hostile_requests_do_no_harm(begin: bytes, rest: bytes) -> None:
    assert len(parse_requests(begin + rest)) <= 128


@given(
    st.sampled_from([b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: "]), st.binary()
)
def test_hostile_responses_do_no_harm(begin: bytes, rest: bytes) -> None:
    assert all(100 <= head.status <= 999 for head in parse_responses(begin + rest))
