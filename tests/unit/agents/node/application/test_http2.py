"""Heads behind the preface are read as far as they are there."""

import pytest
from hpack import Encoder
from hypothesis import given
from hypothesis import strategies as st

from agents.node.application.http2 import PREFACE, is_grpc, parse_preface

SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
FIELDS = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/shop.Cart/AddItem"),
    (":authority", "cart:50051"),
    ("content-type", "application/grpc+proto"),
    ("user-agent", "grpc-go/1.60"),
    ("x-request-id", "r-7"),
    ("te", "trailers"),
]


def frame(kind: int, flags: int, body: bytes, stream: int = 1) -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def block(fields: list[tuple[str, str]] = FIELDS, huffman: bool = True) -> bytes:
    return Encoder().encode(fields, huffman=huffman)


@pytest.mark.parametrize("huffman", [True, False])
def test_a_grpc_call_is_told_by_method_path_and_authority(huffman: bool) -> None:
    heads = parse_preface(PREFACE + SETTINGS + frame(1, 0x05, block(huffman=huffman)))
    assert heads is not None
    [head] = heads
    assert (head.method, head.path, head.host) == ("POST", "/shop.Cart/AddItem", "cart:50051")
    assert (head.version, head.user_agent, head.request_id) == ("2", "grpc-go/1.60", "r-7")
    assert is_grpc(head)


def test_later_heads_lean_on_earlier_ones() -> None:
    encoder = Encoder()
    blocks = [encoder.encode([*FIELDS[:2], (":path", path), *FIELDS[3:]]) for path in ("/a", "/b")]
    heads = parse_preface(PREFACE + frame(1, 0x05, blocks[0]) + frame(1, 0x05, blocks[1], 3))
    assert heads is not None
    assert [(head.path, head.host) for head in heads] == [("/a", "cart:50051"), ("/b", "cart:50051")]


def test_padding_priority_and_continuation_are_undone() -> None:
    whole = block()
    first = frame(1, 0x28, b"\x03" + bytes(5) + whole[:10] + bytes(3))
    heads = parse_preface(PREFACE + first + frame(9, 0x04, whole[10:]))
    assert heads is not None
    assert [head.path for head in heads] == ["/shop.Cart/AddItem"]


@pytest.mark.parametrize("length", range(len(PREFACE + SETTINGS) + 9 + len(block()) + 1))
def test_a_cut_anywhere_leaves_what_came_before_it(length: int) -> None:
    whole = PREFACE + SETTINGS + frame(1, 0x05, block())
    heads = parse_preface(whole[:length])
    assert heads is not None
    for head in heads:
        assert (head.method, head.path in {"", "/shop.Cart/AddItem"}) == ("POST", True)
    if length == len(whole):
        assert heads
        assert is_grpc(heads[0])


def test_a_preface_alone_tells_no_heads() -> None:
    assert parse_preface(PREFACE + SETTINGS) == []
    assert parse_preface(b"PRI * HTTP/1.1\r\n\r\n") is None


def test_a_block_that_unfolds_to_much_is_not_read() -> None:
    bomb = block([("x", "a" * 4000)]) + b"\xbe" * 100
    assert parse_preface(PREFACE + frame(1, 0x05, bomb)) == []


@given(st.binary())
def test_hostile_frames_do_no_harm(rest: bytes) -> None:
    assert parse_preface(PREFACE + rest) is not None


@given(st.integers(0, 255), st.binary(max_size=300))
def test_hostile_blocks_do_no_harm(flags: int, body: bytes) -> None:
    assert parse_preface(PREFACE + frame(1, flags, body)) is not None
