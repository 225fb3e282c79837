"""What the lab's HTTP clients send is what its server understands."""

import pytest

from conntrail.lab.program.web.page import HEAD_END, body_bytes, page_for
from conntrail.lab.program.web.request import Request, filled, status_of


def request(method: str = "GET", path: str = "/items") -> Request:
    return Request(method, "payment.shop", path, path, "lab/1.0", "id-1", "00-1-2-01")


@pytest.mark.parametrize(
    ("path", "status", "is_slow"),
    [
        ("/", 200, False),
        ("/orders/7", 200, False),
        ("/slow/7", 200, True),
        ("/missing/7", 404, False),
        ("/broken", 500, False),
        ("/limited", 429, False),
    ],
)
def test_the_path_says_what_the_answer_is(path: str, status: int, is_slow: bool) -> None:
    head = request(path=path).wire(is_last=False).partition(HEAD_END)[0]
    page = page_for(head + HEAD_END)
    answer, _, body = page.wire.partition(HEAD_END)
    assert status_of(answer) == status
    assert body_bytes(answer) == len(body) > 0
    assert (page.delay_seconds > 0.1) == is_slow


@pytest.mark.parametrize(("method", "has_body"), [("GET", False), ("DELETE", False), ("POST", True), ("PUT", True)])
def test_a_request_carries_all_that_the_truth_says_and_its_body(method: str, has_body: bool) -> None:
    head, _, body = request(method).wire(is_last=True).partition(HEAD_END)
    lines = head.decode().split("\r\n")
    assert lines[0] == f"{method} /items HTTP/1.1"
    assert {"Host: payment.shop", "X-Request-ID: id-1", "traceparent: 00-1-2-01", "Connection: close"} <= set(lines)
    assert body_bytes(head) == len(body)
    assert bool(body) == has_body
    assert b"Connection" not in request(method).wire(is_last=False)


def test_identifiers_are_filled_in() -> None:
    assert filled("/a/{id}/b/{uuid}", 7, "u-1") == "/a/7/b/u-1"


@pytest.mark.parametrize("head", [b"", b"nonsense", b"GET", b"HTTP/1.1 x OK\r\nContent-Length: -1"])
def test_nonsense_has_a_page_no_status_and_no_body(head: bytes) -> None:
    assert page_for(head).wire.startswith(b"HTTP/1.1 200")
    assert status_of(head) == body_bytes(head) == 0
