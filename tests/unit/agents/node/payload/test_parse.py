import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.payload.packet import End, Kind
from agents.node.payload.parse import parse_message
from tests.unit.agents.node.attempt.packets import TCP, UDP, attribute, direction, ipv4, ipv6, message, ports

_AT_NS = 1_700_000_000_000_000_000
_TIME = struct.pack("!QQ", 1_699_999_999, 5)


def _udp(source: int, destination: int, payload: bytes) -> bytes:
    return struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload


def test_conntracks_tuples_and_its_word_of_the_direction_win() -> None:
    tracked = direction(1, "10.0.0.1", "10.96.0.10", 40000, 53) + direction(2, "10.0.0.2", "10.0.0.1", 5353, 40000)
    packet = ipv4("10.0.0.2", "10.0.0.1", UDP, _udp(5353, 40000, b"hello"))
    found = parse_message(message("a", packet, (3, _TIME), (18, tracked), (19, struct.pack("!I", 3))), _AT_NS)
    assert found is not None
    assert (found.kind, found.is_reply, found.payload, found.payload_bytes) == (Kind.DNS_ANSWER, True, b"hello", 5)
    assert (found.client.port, found.dialled.port, found.server.port, found.answered.port) == (40000, 53, 5353, 40000)
    assert (found.seen_at_ns, found.has_exact_time) == (1_699_999_999_000_005_000, True)


@pytest.mark.parametrize("build", [ipv4, ipv6])
def test_without_tuples_the_packets_own_head_counts(build: object) -> None:
    ends = ("10.0.0.1", "10.0.0.2") if build is ipv4 else ("fd00::1", "fd00::2")
    packet = build(*ends, TCP, ports(40000, 80, sequence=99) + b"GET / HTTP/1.1\r\n")  # type: ignore[operator]
    found = parse_message(message("h", packet), _AT_NS)
    assert found is not None
    assert (found.payload, found.sequence, found.protocol) == (b"GET / HTTP/1.1\r\n", 99, TCP)
    assert (found.client.port, found.server) == (40000, found.dialled)
    assert isinstance(found.client, End)
    assert (found.is_reply, found.has_exact_time, found.seen_at_ns) == (False, False, _AT_NS)


def test_a_cut_packet_tells_how_long_it_was() -> None:
    packet = ipv4("10.0.0.1", "10.0.0.2", UDP, _udp(40000, 53, bytes(100)))
    found = parse_message(message("q", packet[:60]), _AT_NS)
    assert found is not None
    assert (len(found.payload), found.payload_bytes) == (32, 100)


def test_a_strange_prefix_and_other_protocols_are_none() -> None:
    packet = ipv4("10.0.0.1", "10.0.0.2", UDP, _udp(40000, 53, b""))
    assert parse_message(message("z", packet), _AT_NS) is None
    assert parse_message(message("q", ipv4("10.0.0.1", "10.0.0.2", 132, ports(1, 2))), _AT_NS) is None


@given(st.binary(max_size=200), st.sampled_from("qahspcb"))
def test_any_packet_is_taken(packet: bytes, prefix: str) -> None:
    parse_message(message(prefix, packet, (18, attribute(1, packet[:20]))), _AT_NS)


@given(st.binary(max_size=200))
def test_any_message_is_taken(data: bytes) -> None:
    parse_message(data, _AT_NS)
