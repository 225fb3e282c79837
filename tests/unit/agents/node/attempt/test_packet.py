"""Heads of packets: every form that conntrack tracks, and bytes that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.attempt.packet import is_reset, parse_head, parse_unreachable
from agents.node.report.address import render_address
from tests.unit.agents.node.attempt.packets import (
    ICMP,
    ICMP6,
    RST,
    SCTP,
    TCP,
    UDP,
    echo,
    ipv4,
    ipv6,
    ports,
)

_HOP_BY_HOP = (0, b"\0" + bytes(6))
_ROUTING = (43, b"\1" + bytes(14))
_AUTHENTICATION = (51, b"\4" + bytes(22))
_FIRST_FRAGMENT = (44, b"\0" + (1).to_bytes(2, "big") + bytes(4))
_LATER_FRAGMENT = (44, b"\0" + (8 << 3).to_bytes(2, "big") + bytes(4))


@pytest.mark.parametrize("protocol", [TCP, UDP, SCTP])
@pytest.mark.parametrize("options", [b"", bytes(4), bytes(40)])
def test_an_ipv4_packet_tells_its_ends_behind_any_options(protocol: int, options: bytes) -> None:
    packet = ipv4("10.0.0.1", "10.0.0.2", protocol, ports(1234, 80), options=options)
    head = parse_head(packet)
    assert head is not None
    assert (render_address(*head.source), head.source_port) == ("10.0.0.1", 1234)
    assert (render_address(*head.destination), head.destination_port) == ("10.0.0.2", 80)
    assert (head.family, head.protocol, head.ip_bytes) == (2, protocol, len(packet))


@pytest.mark.parametrize("extensions", [(), (_HOP_BY_HOP,), (_ROUTING, _AUTHENTICATION), (_FIRST_FRAGMENT,)])
def test_an_ipv6_packet_tells_its_ends_behind_extension_headers(extensions: tuple[tuple[int, bytes], ...]) -> None:
    packet = ipv6("fd00::1", "fd00::2", UDP, ports(1234, 53), *extensions)
    head = parse_head(packet)
    assert head is not None
    assert (render_address(*head.source), head.source_port) == ("fd00::1", 1234)
    assert (render_address(*head.destination), head.destination_port) == ("fd00::2", 53)
    assert (head.family, head.protocol, head.ip_bytes) == (10, UDP, len(packet))


def test_an_echo_request_tells_its_identifier() -> None:
    four = parse_head(ipv4("10.0.0.1", "10.0.0.2", ICMP, echo(77)))
    six = parse_head(ipv6("fd00::1", "fd00::2", ICMP6, echo(77, 128)))
    assert four is not None
    assert six is not None
    assert (four.icmp_type, four.icmp_id, six.icmp_type, six.icmp_id) == (8, 77, 128, 77)


def test_a_protocol_without_ports_has_ends_all_the_same() -> None:
    head = parse_head(ipv4("10.0.0.1", "10.0.0.2", 47, b""))
    assert head is not None
    assert (head.protocol, head.source_port, head.destination_port) == (47, 0, 0)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x45",
        b"\x50" + bytes(60),
        ipv4("10.0.0.1", "10.0.0.2", TCP, ports(1, 2))[:27],
        ipv4("10.0.0.1", "10.0.0.2", TCP, ports(1, 2), fragment=3),
        b"\x44" + ipv4("10.0.0.1", "10.0.0.2", TCP, ports(1, 2))[1:],
        ipv6("fd00::1", "fd00::2", TCP, ports(1, 2), _LATER_FRAGMENT),
        ipv6("fd00::1", "fd00::2", TCP, ports(1, 2), *[_HOP_BY_HOP] * 9),
        ipv6("fd00::1", "fd00::2", TCP, ports(1, 2), _HOP_BY_HOP)[:44],
    ],
    ids=["empty", "a byte", "version 5", "cut ports", "fragment", "short header", "later", "too many", "cut extension"],
)
def test_what_is_no_head_is_none(packet: bytes) -> None:
    assert parse_head(packet) is None


def test_destination_nat_leaves_the_word_alone() -> None:
    before = parse_head(ipv4("10.0.0.1", "10.96.0.1", TCP, ports(1234, 80, sequence=99)))
    after = parse_head(ipv4("10.0.0.1", "10.0.0.9", TCP, ports(1234, 8080, sequence=99)))
    other = parse_head(ipv4("10.0.0.1", "10.96.0.1", TCP, ports(1234, 80, sequence=100)))
    assert before is not None
    assert after is not None
    assert other is not None
    assert before.word == after.word != other.word


def test_a_reset_and_an_unreachable_error_are_told() -> None:
    reset = ipv4("10.0.0.2", "10.0.0.1", TCP, ports(80, 1234, flags=RST))
    inner = ipv4("10.0.0.1", "10.0.0.2", UDP, ports(1234, 53))
    error = ipv4("10.0.0.254", "10.0.0.1", ICMP, b"\3\x0d" + bytes(6) + inner)
    reset_head, error_head = parse_head(reset), parse_head(error)
    assert reset_head is not None
    assert error_head is not None
    assert is_reset(reset, reset_head)
    assert not is_reset(error, error_head)
    assert parse_unreachable(reset, reset_head) is None
    assert parse_unreachable(error, error_head) == parse_head(inner)


@given(st.binary(max_size=160))
def test_any_bytes_are_a_head_or_none(data: bytes) -> None:
    head = parse_head(data)
    if head is not None:
        assert 0 <= head.source_port < 1 << 16
        assert 0 <= head.word < 1 << 64
        is_reset(data, head)
        parse_unreachable(data, head)


@given(st.sampled_from([4, 6]), st.binary(max_size=160), st.integers(0, 160))
def test_any_head_cut_anywhere_is_a_head_or_none(version: int, payload: bytes, cut: int) -> None:
    packet = ipv4("10.0.0.1", "10.0.0.2", TCP, payload) if version == 4 else ipv6("fd00::1", "fd00::2", 0, payload)
    head = parse_head(packet[:cut])
    assert head is None or head.ip_bytes == len(packet)
