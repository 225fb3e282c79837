"""Whatever comes, what is held stays within the options, and what found no room is counted."""

from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.http2 import PREFACE
from agents.node.application.options import ApplicationOptions
from agents.node.application.table import ApplicationTable
from agents.node.payload.packet import End, Kind, Packet
from tests.support.application import (
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
    has_exact_time=st.booleans(),
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
