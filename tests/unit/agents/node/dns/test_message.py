"""Answers say what dnspython says of them, and cost what we allow."""

import struct

import dns.message
import dns.rdata
import dns.rdatatype
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.node.dns.message import Answer, AnswerParser, read_key
from tests.unit.agents.node.dns.packets import answer, query

RECORDS = [
    ("A", "192.0.2.1"),
    ("AAAA", "2001:db8::1"),
    ("AAAA", "::ffff:192.0.2.1"),
    ("CNAME", "B.Example."),
    ("NS", "ns.example."),
    ("PTR", "host\\.x.example."),
    ("MX", "10 mail.example."),
    ("TXT", '"a b" "\\255"'),
    ("SRV", "0 5 5060 sip.example."),
    ("SOA", "ns.example. root.example. 1 2 3 4 5"),
    ("HTTPS", '1 . alpn="h2"'),
    ("CAA", '0 issue "ca.example"'),
]


def parsed(message: bytes) -> Answer | None:
    found = read_key(message)
    assert found is not None
    return AnswerParser().parse(message, found[0].question)


def said(message: bytes) -> Answer:
    found = parsed(message)
    assert found is not None
    return found


def with_records(count: int, body: bytes, *, authority: int = 0, additional: int = 0) -> bytes:
    """An answer to ``a.example. A`` whose counts and records are as given."""
    asked = dns.message.make_query("a.example.", "A", id=7).to_wire()
    question_end = 12 + len(b"\1a\7example\0") + 4
    return b"\0\7\x81\x80" + struct.pack("!HHHH", 1, count, authority, additional) + asked[12:question_end] + body


def record(kind: int, class_: int, data: bytes, owner: bytes = b"\xc0\x0c", seconds: int = 30) -> bytes:
    return owner + struct.pack("!HHIH", kind, class_, seconds, len(data)) + data


@pytest.mark.parametrize(("kind", "data"), RECORDS)
def test_data_have_dnspythons_text(kind: str, data: str) -> None:
    message = answer(query("a.example.", kind), ("a.example.", kind, data))
    [reference] = dns.message.from_wire(message).answer[0]
    text = reference.to_text().removesuffix(".")
    assert said(message).answers == (text.lower() if kind in {"CNAME", "NS", "PTR"} else text,)


def test_data_of_a_type_without_a_name_are_told_in_hex() -> None:
    assert said(with_records(1, record(65280, 1, b"\1\2\3"))).answers == ("\\# 3 010203",)


def test_types_and_classes_that_nobody_knows_leave_nothing_behind() -> None:
    before = len(dns.rdata._rdata_classes)
    for number in range(2000):
        said(with_records(2, record(30_000 + number, 1, b"x") + record(16, 2 + number, b"\1x")))
    assert len(dns.rdata._rdata_classes) == before


@example([bytes(14) + b"     "] * 4 + [b""])  # the longest text ends between two of them
@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5))
def test_strings_have_dnspythons_text(strings: list[bytes]) -> None:
    data = b"".join(bytes([len(string)]) + string for string in strings)
    reference = dns.rdata.from_wire(1, dns.rdatatype.TXT, data, 0, len(data)).to_text()
    assert said(with_records(1, record(16, 1, data))).answers == (reference[:256].removesuffix("."),)


def test_of_data_that_take_time_only_some_are_decoded() -> None:
    mails = [record(15, 1, number.to_bytes(2, "big") + b"\xc0\x0c") for number in range(40)]
    texts = said(with_records(40, b"".join(mails))).answers
    assert texts[:2] == ("0 a.example", "1 a.example")
    assert texts[31] == "\\# 4 001fc00c"


LONG = (b"\x3f" + b"\xff" * 63) * 3 + b"\x2e" + b"\xff" * 46 + b"\0"
"""A name whose text has almost a thousand characters."""
FIRST_DATA = 12 + len(b"\1a\7example\0") + 4 + 12
"""Where the data of the first record lie."""


def pointer(at: int) -> bytes:
    return (0xC000 | at).to_bytes(2, "big")


def test_of_names_that_take_time_only_some_are_decoded() -> None:
    names = [record(12, 1, LONG), *(record(12, 1, b"\2%02d" % number + pointer(FIRST_DATA)) for number in range(60))]
    found = said(with_records(61, b"".join(names), authority=1) + record(2, 1, b"\0"))
    assert found.response_code == "NOERROR"
    assert [text[:2] for text in found.answers[1:]] == ["00", "01", "02", "03"]


def test_a_name_that_was_read_is_not_read_again() -> None:
    many = (record(1, 1, b"\1\2\3%c" % number, owner=pointer(FIRST_DATA)) for number in range(40))
    found = said(with_records(41, record(5, 1, LONG) + b"".join(many)))
    assert (len(found.answers), len(found.addresses)) == (32, 32)


def test_data_of_names_that_take_time_are_told_in_hex() -> None:
    mails = (record(15, 1, number.to_bytes(2, "big") + pointer(FIRST_DATA)) for number in range(20))
    found = said(with_records(21, record(12, 1, LONG) + b"".join(mails)))
    assert found.answers[1].startswith("0 \\255")
    assert found.answers[3] == f"\\# 4 0002{pointer(FIRST_DATA).hex()}"


@pytest.mark.parametrize("kind", [47, 50, 62])
def test_data_that_list_thousands_of_types_are_told_in_hex(kind: int) -> None:
    head = {47: b"\0", 50: b"\1\0\0\0\0\4abcd", 62: bytes(6)}[kind]
    types = b"".join(bytes([window, 32]) + b"\xff" * 32 for window in range(20))
    [text] = said(with_records(1, record(kind, 1, head + types))).answers
    assert text == f"\\# {len(head + types)} {(head + types)[:64].hex()}"


def test_records_of_another_class_are_no_answer() -> None:
    assert said(with_records(1, record(1, 3, b"\1\2\3\4"))).answers == ()


@pytest.mark.parametrize(
    "message",
    [
        with_records(1, b""),
        with_records(65_535, record(1, 1, b"\1\2\3\4")),
        with_records(1, record(1, 1, b"\1\2\3\4")[:-1]),
        with_records(1, record(1, 1, b"\1\2\3")),
        with_records(1, record(28, 1, b"\1\2\3\4")),
        with_records(1, record(5, 1, b"\1b\0x")),
        with_records(1, record(5, 1, b"\xc0\xff")),
        with_records(1, record(15, 1, b"\0")),
        with_records(1, record(1, 1, b"\1\2\3\4", owner=b"\xc0\x1b")),
        with_records(0, b"\xc0", authority=1),
        with_records(0, record(41, 1232, b"")[:-1], additional=1),
    ],
)
def test_what_a_message_does_not_hold_makes_it_malformed(message: bytes) -> None:
    assert parsed(message) is None


def test_options_that_are_no_options_do_not_hide_the_answer() -> None:
    options = record(41, 1232, b"\0\x0a\xff\xff\1", owner=b"\0", seconds=1 << 24)
    found = said(with_records(1, record(1, 1, b"\1\2\3\4") + options, additional=1))
    assert (found.answers, found.response_code) == (("1.2.3.4",), "BADVERS")


def test_of_many_records_the_first_are_told() -> None:
    many = b"".join(record(1, 1, number.to_bytes(4, "big")) for number in range(300))
    found = said(with_records(300, many))
    assert (len(found.answers), len(found.addresses), found.answers[31]) == (32, 32, "0.0.0.31")


def test_a_life_with_the_highest_bit_is_none() -> None:
    found = said(with_records(2, record(1, 1, b"\1\2\3\4", seconds=1 << 31) + record(1, 1, b"\1\2\3\5", seconds=9)))
    assert found.time_to_live_seconds == 0
