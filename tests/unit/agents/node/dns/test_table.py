import io
import struct
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.node.dns.message import AnswerParser, read_key
from agents.node.dns.table import DnsTable
from agents.node.payload.packet import End
from agents.node.report.address import render_address
from agents.publish.column import ColumnEncoder
from schemas.schema import read_schema
from schemas.topic import DNS_RAW
from tests.unit.agents.node.dns.packets import CLIENT, DIALLED, SERVER, START_NS, answer, packet, query

_SCHEMA = read_schema(DNS_RAW.schema)
_TCP = 6
_LABELS = b"".join(b"\x3f" + bytes([letter]) * 63 for letter in b"abc") + b"\x20" + b"d" * 32 + b"\0"


def _rows(table: DnsTable, after_us: int = 0, *, flush: bool = False) -> list[dict[str, Any]]:
    encoded = ColumnEncoder(_SCHEMA).encode(table.take_report(START_NS + after_us * 1000, flush))
    return [fastavro.schemaless_reader(io.BytesIO(row), _SCHEMA, None) for row in encoded]


def _pointing(name: bytes, number: int) -> bytes:
    """An answer with 32 names, each a label of its own before the name that was asked for."""
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", 12, 1, 60, 5) + b"\2%02d\xc0\x0c" % turn for turn in range(32)
    )
    return struct.pack("!HHHHHH", number % 65_536, 0x8180, 1, 32, 0, 0) + name + b"\0\x0c\0\1" + records


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


def test_a_query_and_its_answer_are_one_exchange_with_a_latency() -> None:
    table, asked = DnsTable(), query("A.Example.")
    said = answer(asked, ("a.example.", "CNAME", "b.example."), ("b.example.", "A", "10.1.2.3"))
    assert table.note([packet(asked)]) == []
    [resolved] = table.note([packet(said, 1500, is_reply=True)])
    assert resolved.names == ("a.example", "b.example")
    assert resolved.addresses == ((0, 0xFFFF0A010203),)
    [row] = _rows(table)
    assert (row["name"], row["type"], row["response_code"]) == ("a.example", "A", "NOERROR")
    assert (row["client_address"], row["dialled_address"], row["dialled_port"]) == ("10.0.0.1", "10.96.0.10", 53)
    assert (row["server_address"], row["server_port"], row["protocol"]) == ("10.0.0.2", 5353, 17)
    assert (row["count"], row["timed"], row["latency_us"]) == (1, 1, [1500])
    assert (row["latency_sum_us"], row["latency_max_us"], row["time_to_live_seconds"]) == (1500, 1500, 30)
    assert row["answers"] == ["b.example", "10.1.2.3"]
    assert row["first_seen_at_ns"] == row["last_seen_at_ns"] == START_NS


def test_a_query_without_an_answer_times_out_under_its_name() -> None:
    table = DnsTable()
    table.note([packet(query("lost.example.", "AAAA"))])
    assert _rows(table, 4_999_999) == []
    [row] = _rows(table, 5_000_000)
    assert (row["name"], row["type"], row["response_code"], row["count"]) == ("lost.example", "AAAA", "TIMEOUT", 1)
    assert row["timed"] == 0


def test_a_query_sent_again_is_one_exchange_from_the_first_on_and_a_second_answer_is_none() -> None:
    table, asked = DnsTable(), query()
    said = answer(asked)
    table.note([packet(asked), packet(asked, 1000)])
    table.note([packet(said, 3000, is_reply=True), packet(said, 4000, is_reply=True)])
    [row] = _rows(table, flush=True)
    assert (row["count"], row["latency_us"]) == (1, [3000])


def test_an_answer_that_comes_after_its_timeout_was_told_is_no_second_exchange_but_teaches_its_names() -> None:
    table, asked = DnsTable(), query()
    table.note([packet(asked)])
    assert [row["response_code"] for row in _rows(table, 6_000_000)] == ["TIMEOUT"]
    assert _rows(table, 16_000_000) == []
    [resolved] = table.note([packet(answer(asked, ("a.example.", "A", "10.1.2.3")), 17_000_000, is_reply=True)])
    assert (resolved.names, resolved.addresses) == (("a.example",), ((0, 0xFFFF0A010203),))
    assert _rows(table, flush=True) == []


def test_what_is_asked_again_after_its_timeout_was_told_is_an_exchange() -> None:
    table, asked = DnsTable(), query()
    table.note([packet(asked)])
    _rows(table, 6_000_000)
    table.note([packet(asked, 7_000_000), packet(answer(asked), 7_001_000, is_reply=True)])
    [row] = _rows(table, flush=True)
    assert (row["response_code"], row["count"], row["latency_us"]) == ("NOERROR", 1, [1000])


def test_a_query_that_nobody_answers_is_forgotten_half_a_minute_later() -> None:
    table, asked = DnsTable(), query()
    table.note([packet(asked)])
    assert [len(_rows(table, at_us)) for at_us in (6_000_000, 30_000_000, 31_000_000)] == [1, 0, 0]
    assert len(table) == 0


_OUTSIDE = End(0, 0xFFFF08080808, 53)


@pytest.mark.parametrize("has_tuples", [True, False])
@pytest.mark.parametrize(("dialled", "server"), [(DIALLED, SERVER), (_OUTSIDE, _OUTSIDE)], ids=["Service", "outside"])
def test_of_servers_that_were_asked_at_once_the_one_that_answers_was_dialled(
    has_tuples: bool, dialled: End, server: End
) -> None:
    table, asked = DnsTable(), query()
    table.note([packet(asked, at_us, dialled=end, server=end) for at_us, end in enumerate((DIALLED, _OUTSIDE))])
    shown = packet(answer(asked), 1_000, is_reply=True, dialled=dialled if has_tuples else server, server=server)
    table.note([shown])
    [row] = _rows(table, flush=True)
    assert (row["server_address"], row["server_port"]) == (render_address(*server[:2]), server.port)
    assert (row["dialled_address"], row["dialled_port"]) == (render_address(*dialled[:2]), dialled.port)
    assert (row["count"], row["latency_us"]) == (1, [1_000])


def test_an_answer_whose_query_was_not_seen_has_no_latency() -> None:
    table = DnsTable()
    table.note([packet(answer(query(), code=3), is_reply=True)])
    [row] = _rows(table)
    assert (row["response_code"], row["count"], row["timed"]) == ("NXDOMAIN", 1, 0)


def test_a_time_that_is_not_the_kernels_gives_no_latency() -> None:
    table, asked = DnsTable(), query()
    table.note([packet(asked), packet(answer(asked), 9, is_reply=True, has_exact_time=False)])
    assert _rows(table)[0]["timed"] == 0


def test_an_extended_code_is_named() -> None:
    table, asked = DnsTable(), query()
    table.note([packet(asked), packet(answer(asked, code=16), 9, is_reply=True)])
    assert _rows(table)[0]["response_code"] == "BADVERS"


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_truncated_answer_is_counted(is_cut: bool) -> None:
    table, asked = DnsTable(), query()
    said = bytearray(answer(asked))
    said[2] |= 0x02
    table.note([packet(asked)])
    table.note([packet(bytes(said), 9, is_reply=True, payload_bytes=len(said) + 100 * is_cut)])
    [row] = _rows(table)
    assert (row["truncated"], row["response_code"]) == (1, "NOERROR")


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_messages_over_tcp_are_whole_however_they_are_split(size: int, sequence: int) -> None:
    table = DnsTable()
    asked = [query(f"n{number}.example.", identifier=number) for number in range(3)]
    data = b"".join(map(_framed, asked))
    said = b"".join(_framed(answer(question)) for question in asked)
    for is_reply, stream in ((False, data), (True, said)):
        for at in range(0, len(stream), size):
            segment = packet(
                stream[at : at + size], at, is_reply=is_reply, protocol=_TCP, sequence=(sequence + at) % 2**32
            )
            table.note([segment, segment])  # the second is a retransmit
    assert sorted(row["name"] for row in _rows(table)) == ["n0.example", "n1.example", "n2.example"]
    assert table.malformed == 0


def test_a_hole_in_a_stream_is_counted_and_the_next_message_is_read() -> None:
    table, data = DnsTable(), _framed(query())
    table.note([packet(data[:9], protocol=_TCP), packet(data, protocol=_TCP, sequence=500)])
    assert (table.malformed, len(table)) == (1, 1)


def _many(asked: bytes, count: int) -> bytes:
    return answer(asked, *(("a.example.", "A", f"10.0.{number >> 8}.{number & 255}") for number in range(count)))


def test_an_answer_over_tcp_that_the_kernel_cut_is_told_by_its_head() -> None:
    table, asked = DnsTable(), query()
    said, after = _framed(_many(asked, 300)), _framed(answer(query("b.example.")))
    table.note([packet(_framed(asked), protocol=_TCP)])
    cut = packet(said[:3532], 9, is_reply=True, protocol=_TCP, payload_bytes=len(said))
    table.note([cut, cut, packet(after, 10, is_reply=True, protocol=_TCP, sequence=len(said))])
    first, second = _rows(table, flush=True)
    assert (first["name"], first["response_code"], first["count"], first["timed"]) == ("a.example", "NOERROR", 1, 1)
    assert (second["name"], second["response_code"]) == ("b.example", "NOERROR")
    assert table.malformed == 0


@pytest.mark.parametrize("first", [2, 100, 1448])
def test_an_answer_over_tcp_that_is_too_long_is_told_by_its_head_and_the_next_is_read(first: int) -> None:
    table, asked = DnsTable(), query()
    said = _framed(_many(asked, 1_200)) + _framed(answer(query("b.example.")))
    assert len(said) > 16 << 10
    table.note([packet(_framed(asked), protocol=_TCP)])
    for at in (0, *range(first, len(said), 1448)):
        segment = said[at : at + 1448] if at else said[:first]
        table.note([packet(segment, at, is_reply=True, protocol=_TCP, sequence=at)])
    assert [(row["name"], row["response_code"], row["count"]) for row in _rows(table, flush=True)] == [
        ("a.example", "NOERROR", 1), ("b.example", "NOERROR", 1),
    ]  # fmt: skip
    assert table.malformed == 0


def test_a_message_over_tcp_that_is_cut_before_its_question_ends_is_malformed() -> None:
    table = DnsTable()
    table.note([packet(_framed(query())[:20], protocol=_TCP, payload_bytes=5_000)])
    assert (table.malformed, len(table)) == (1, 0)


@given(st.binary(max_size=300), st.booleans(), st.sampled_from([6, 17]))
def test_any_bytes_are_taken(payload: bytes, is_reply: bool, protocol: int) -> None:
    table = DnsTable()
    table.note([packet(payload, is_reply=is_reply, protocol=protocol)])
    _rows(table, flush=True)


@given(st.data())
@settings(max_examples=150)
def test_an_answer_with_any_byte_changed_is_taken(data: st.DataObject) -> None:
    asked = query()
    said = bytearray(
        answer(asked, ("a.example.", "CNAME", "b.example."), ("b.example.", "A", "1.2.3.4"), ("x.", "TXT", '"\\255"'))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        said[data.draw(st.integers(0, len(said) - 1))] = data.draw(st.integers(0, 255))
    table = DnsTable()
    table.note([packet(asked), packet(bytes(said), is_reply=True)])
    assert sum(row["count"] for row in _rows(table, flush=True)) in (1, 2)


def test_a_compression_loop_is_malformed() -> None:
    asked = query()
    loop = answer(asked)[:6] + b"\0\1\0\0\0\0" + asked[12:27] + b"\xc0\x1b\0\1\0\1\0\0\0\1\0\4abcd"
    found = read_key(loop)
    assert found is not None
    assert AnswerParser().parse(loop, found[0].question) is None


def test_a_flood_of_names_stays_within_its_bound_and_is_counted() -> None:
    table = DnsTable()
    start, _, rest = query("00000.example.").partition(b"00000")
    for number in range(30_000):
        table.note([packet(number.to_bytes(2, "big") + start[2:] + b"%05d" % number + rest, number)])
    assert len(table) == 16_384
    rows = _rows(table, flush=True)
    assert len(rows) == 10_001
    assert sum(row["count"] for row in rows) == 30_000
    [rest] = [row for row in rows if not row["response_code"]]
    assert (rest["name"], rest["client_address"]) == ("", "10.0.0.1")
    assert rest["count"] == table.overflowed


def test_names_and_answers_without_end_stay_within_the_bound_and_are_counted() -> None:
    table = DnsTable()
    for number in range(5_000):
        table.note([packet(_pointing(b"\5%05d" % number + _LABELS, number), number, is_reply=True)])
    rows = _rows(table)
    texts = [text for row in rows for text in (row["name"], *row["answers"])]
    assert sum(map(len, texts)) + 64 * len(texts) < (8 << 20) + 512
    assert sum(row["count"] for row in rows) == 5_000
    whole = sum(len(row["answers"]) == 17 for row in rows)
    assert whole == 5_000 - table.overflowed > 1_500


def test_of_a_name_that_is_known_only_the_answers_that_find_no_room_are_left_out() -> None:
    table, asked = DnsTable(), query()
    table.note([packet(answer(asked, ("a.example.", "A", "10.0.0.1")), is_reply=True)])
    for number in range(2_500):
        table.note([packet(_pointing(b"\5%05d" % number + _LABELS, number), is_reply=True)])
    before = table.overflowed
    table.note([packet(answer(asked, ("a.example.", "A", "10.0.0.2")), is_reply=True)])
    [row] = [row for row in _rows(table) if row["name"] == "a.example"]
    assert (row["count"], row["answers"]) == (2, ["10.0.0.1"])
    assert 0 < before == table.overflowed - 1


def test_clients_without_number_stay_within_the_bound() -> None:
    table = DnsTable()
    said = answer(query())
    for number in range(30_000):
        client = End(number, CLIENT.low, CLIENT.port)
        table.note([packet(said, is_reply=True, client=client)])
    assert len(_rows(table)) == 11_000
    assert table.overflowed == 20_000
