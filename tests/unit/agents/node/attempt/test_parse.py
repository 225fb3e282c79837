"""Log messages to rows: conntrack's tuples first, then the packet's own head; nothing hostile gets through."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.node.attempt.columns import ATTEMPT, DIALLED, REJECTED, TRANSLATED
from agents.node.attempt.parse import parse_message
from agents.node.attempt.tuples import parse_tracked
from agents.node.log_group.message import parse_number
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


def _address(row: np.void, name: str) -> str:
    return render_address(int(row[f"{name}_high"]), int(row[f"{name}_low"]))


def _row(data: bytes) -> np.void:
    parsed = parse_message(data, _NOW_NS)
    assert parsed is not None
    row: np.void = np.array([parsed], ATTEMPT)[0]
    return row


def test_a_dialled_packet_without_tuples_goes_where_it_says() -> None:
    four, six = (_row(message("d", packet)) for packet in (_SYN, ipv6("fd00::1", "fd00::2", TCP, ports(5, 6))))
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
    row = _row(message("t", after, (_CT, tuples)))
    assert (_address(row, "original_destination"), row["original_destination_port"]) == ("10.96.0.1", 80)
    assert (_address(row, "reply_source"), row["reply_source_port"]) == ("10.0.0.9", 8080)
    assert (row["zone"], row["kind"]) == (7, TRANSLATED)


def test_a_translated_packet_alone_does_not_know_what_was_dialled() -> None:
    row = _row(message("t", ipv4("10.0.0.1", "10.0.0.9", TCP, ports(1234, 8080))))
    assert row["original_destination_low"] == row["original_destination_port"] == 0
    assert _address(row, "reply_source") == "10.0.0.9"


def test_a_reset_is_turned_round_to_the_attempt_that_it_answers() -> None:
    reset = ipv4("10.0.0.9", "10.0.0.1", TCP, ports(8080, 1234, flags=RST))
    row = _row(message("r", reset))
    assert (_address(row, "reply_source"), row["reply_source_port"]) == ("10.0.0.9", 8080)
    assert (_address(row, "original_source"), row["original_source_port"]) == ("10.0.0.1", 1234)
    assert row["kind"] == REJECTED


def test_what_is_none_of_ours_and_broken_packets_give_no_row() -> None:
    assert parse_message(message("x", _SYN), _NOW_NS) is None
    assert parse_message(message("d", b"\x45"), _NOW_NS) is None


def test_a_message_tells_its_number() -> None:
    assert parse_number(message("x", _SYN, sequence=41)) == 41
    assert parse_number(message("d", _SYN)) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_a_row_or_none(data: bytes) -> None:
    parsed = parse_message(data, _NOW_NS)
    assert parsed is None or len(parsed) == len(ATTEMPT.descr)
    assert (parse_number(data) or 0) < 1 << 32


@given(st.binary(max_size=200))
def test_any_bytes_as_tuples_are_tuples_none_or_a_value_error(data: bytes) -> None:
    try:
        parse_tracked(data)
    except ValueError:
        return
