"""What a pod's resolver tries, in which order, and what it makes of answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.lab.program.name.question import candidates, framed, parse_answer, query, unframed
from conntrail.lab.program.task import search_path

SEARCH = search_path("shop")


@pytest.mark.parametrize(
    ("name", "first", "last", "count"),
    [
        ("payment", "payment.shop.svc.cluster.local", "payment", 4),
        ("api.example.org", "api.example.org.shop.svc.cluster.local", "api.example.org", 4),
        ("a.b.c.d.e.f", "a.b.c.d.e.f", "a.b.c.d.e.f.cluster.local", 4),
        ("api.example.org.", "api.example.org", "api.example.org", 1),
    ],
)
def test_names_with_few_dots_are_tried_by_the_search_path_first(name: str, first: str, last: str, count: int) -> None:
    found = candidates(name, SEARCH)
    assert (found[0], found[-1], len(found)) == (first, last, count)


def test_a_question_is_no_answer() -> None:
    assert parse_answer(query(1, "a.example.org", "A")) is None


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_answer_or_none(data: bytes) -> None:
    found = parse_answer(data)
    assert found is None or 0 <= found.identity < 1 << 16


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(0, 10))
def test_messages_over_tcp_come_out_as_they_went_in(messages: list[bytes], cut: int) -> None:
    data = b"".join(map(framed, messages))
    part, rest = data[:-cut] if cut else data, data[-cut:] if cut else b""
    found = []
    for piece in (b"", rest):
        part += piece
        while True:
            message, part = unframed(part)
            if message is None:
                break
            found.append(message)
    assert (found, part) == (messages, b"")
