"""Log messages to rows: conntrack's tuples first, then the packet's own head; nothing hostile gets through."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from agents.node.attempt.columns import DIALLED, REJECTED, TRANSLATED
from agents.node.attempt.parse import parse_datagram
from agents.node.attempt.tuples import parse_tracked
from agents.node.report.address import render_address
from tests.unit.agents.node.attempt.packets import (
    RST,
    TCP,
    attribute,
    direction,
    ipv4,
    ipv6,
    message,
    ports,
)

_NOW_NS = 1_800_000_000_000_000_000
_SYN = ipv4("10.0.0.1", "10.96.0.1", TCP, ports(1234, 80))
_CT = 18
_TIME = 3


def _address(row: object, name: str) -> str:
    return render_address(int(row[f"{name}_high"]), int(row[f"{name}_low"]))  # type: ignore[index]  # a numpy row


def test_a_dialled_packet_without_tuples_goes_where_it_says() -> None:
    parsed = parse_datagram(message("d", _SYN) + message("d", ipv6("fd00::1", "fd00::2", TCP, ports(5, 6))), _NOW_NS)
    assert parsed.malformed == 0
    four, six = parsed.rows
    assert (_address(four, "original_destination"), _address(four, "reply_source")) == ("10.96.0.1", "10.96.0.1")
    assert (_address(six, "original_source"), _address(six, "reply_destination")) == ("fd00::1", "fd00::1")
    assert (four["kind"], four["seen_at_ns"], four["ip_bytes"]) == (DIALLED, _NOW_NS, len(_SYN))
    assert (six["original_source_port"], six["reply_source_port"]) == (5, 6)


def test_conntracks_tuples_win_over_the_packet() -> None:
    tuples = (
        direction(1, "10.0.0.1", "10.96.0.1", 1234, 80)
        + direction(2, "10.0.0.9", "10.0.0.1", 8080, 1234)
        + attribute(18, (7).to_bytes(2, "big"))
    )
    after = ipv4("10.0.0.1", "10.0.0.9", TCP, ports(1234, 8080))
    [row] = parse_datagram(message("t", after, (_CT, tuples)), _NOW_NS).rows
    assert (_address(row, "original_destination"), row["original_destination_port"]) == ("10.96.0.1", 80)
    assert (_address(row, "reply_source"), row["reply_source_port"]) == ("10.0.0.9", 8080)
    assert (row["zone"], row["kind"]) == (7, TRANSLATED)


def test_a_translated_packet_alone_does_not_know_what_was_dialled() -> None:
    [row] = parse_datagram(message("t", ipv4("10.0.0.1", "10.0.0.9", TCP, ports(1234, 8080))), _NOW_NS).rows
    assert row["original_destination_low"] == row["original_destination_port"] == 0
    assert _address(row, "reply_source") == "10.0.0.9"


def test_a_reset_is_turned_round_to_the_attempt_that_it_answers() -> None:
    reset = ipv4("10.0.0.9", "10.0.0.1", TCP, ports(8080, 1234, flags=RST))
    [row] = parse_datagram(message("r", reset), _NOW_NS).rows
    assert (_address(row, "reply_source"), row["reply_source_port"]) == ("10.0.0.9", 8080)
    assert (_address(row, "original_source"), row["original_source_port"]) == ("10.0.0.1", 1234)
    assert row["kind"] == REJECTED


def test_the_kernels_time_is_taken_when_it_is_credible() -> None:
    near = struct.pack("!QQ", _NOW_NS // 10**9 - 1, 5)
    wild = struct.pack("!QQ", 17, 5)
    rows = parse_datagram(message("d", _SYN, (_TIME, near)) + message("d", _SYN, (_TIME, wild)), _NOW_NS).rows
    assert rows["seen_at_ns"].tolist() == [_NOW_NS - 10**9 + 5000, _NOW_NS]


def test_unknown_prefixes_and_broken_packets_are_counted() -> None:
    parsed = parse_datagram(message("x", _SYN) + message("d", b"\x45") + message("d", _SYN), _NOW_NS)
    assert (len(parsed.rows), parsed.malformed, parsed.messages) == (1, 2, 3)


def test_the_first_number_counts_messages_before_it() -> None:
    parsed = parse_datagram(message("x", _SYN) + message("d", _SYN, sequence=41), _NOW_NS)
    assert (parsed.first_sequence, parsed.messages) == (40, 2)


@given(st.binary(max_size=400))
def test_any_bytes_give_rows_or_a_count(data: bytes) -> None:
    parsed = parse_datagram(data, _NOW_NS)
    assert len(parsed.rows) <= len(data) // 20


@given(st.data())
def test_a_message_with_bytes_changed_is_read_or_counted(data: st.DataObject) -> None:
    whole = bytearray(message("d", _SYN, (_CT, direction(1, "10.0.0.1", "10.0.0.2", 1, 2)), sequence=1))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    parsed = parse_datagram(bytes(whole[: data.draw(st.integers(0, len(whole)))]), _NOW_NS)
    assert len(parsed.rows) <= 1


@given(st.binary(max_size=200))
def test_any_bytes_as_tuples_are_tuples_none_or_a_value_error(data: bytes) -> None:
    try:
        parse_tracked(data)
    except ValueError:
        return
