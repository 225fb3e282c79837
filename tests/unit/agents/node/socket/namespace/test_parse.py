"""rtnetlink's answers: addresses that tell namespaces apart, numbers of linked namespaces, hostile bytes."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.attempt.address import map_address
from agents.node.socket.namespace.parse import frame, parse_address, parse_link_namespace, parse_namespace_id
from tests.unit.agents.node.socket.diag.messages import attribute


def _body(text: str, *, local: str = "") -> bytes:
    packed = ipaddress.ip_address(text).packed
    head = struct.pack("=BBBBI", 2 if len(packed) == 4 else 10, 24, 0, 0, 1)
    return head + attribute(1, packed) + (attribute(2, ipaddress.ip_address(local).packed) if local else b"")


@pytest.mark.parametrize("text", ["10.0.0.1", "fd00::1", "169.254.1.1"])
def test_an_address_is_read(text: str) -> None:
    assert parse_address(_body(text)) == map_address(ipaddress.ip_address(text).packed)


def test_on_a_point_to_point_link_the_local_address_is_ones_own() -> None:
    assert parse_address(_body("10.0.0.2", local="10.0.0.1")) == map_address(bytes([10, 0, 0, 1]))


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.9.9", "::1", "fe80::1"])
def test_addresses_that_many_namespaces_have_tell_nothing(text: str) -> None:
    assert parse_address(_body(text)) is None


def test_numbers_of_namespaces_are_read_and_missing_ones_are_none() -> None:
    link = bytes(16) + attribute(3, b"eth0\0") + attribute(37, (5).to_bytes(4, "little"))
    assert parse_link_namespace(link) == 5
    assert parse_link_namespace(bytes(16) + attribute(3, b"eth0\0")) is None
    assert parse_namespace_id(bytes(4) + attribute(1, (5).to_bytes(4, "little"))) == 5
    assert parse_namespace_id(bytes(4) + attribute(1, b"\xff\xff\xff\xff")) is None


def test_messages_are_framed_and_a_cut_one_is_left_out() -> None:
    whole = struct.pack("=IHHII", 20, 16, 0, 0, 0) + b"body"
    assert list(frame(whole + whole + whole[:18])) == [(16, b"body"), (16, b"body")]


@given(st.binary(max_size=120))
def test_any_bytes_are_values_or_none(data: bytes) -> None:
    for _, body in frame(data):
        assert len(body) <= len(data)
    parse_address(data)
    parse_link_namespace(data)
    parse_namespace_id(data)
