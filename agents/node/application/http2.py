"""Reads the first request heads of HTTP/2 without TLS (RFC 9113), in the packet of the preface or the one after it.

Later heads lean on a compression state (RFC 7541) that is only known to who has seen every head before; so these are
all that can be read without following whole connections.

hpack is loaded when the first preface is seen: it costs 2 MiB, and on most nodes nobody speaks HTTP/2 in clear.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from agents.node.application.head import (
    CONTENT_TYPE_LENGTH,
    HOST_LENGTH,
    IDENTIFIER_LENGTH,
    METHOD_LENGTH,
    PATH_LENGTH,
    USER_AGENT_LENGTH,
    RequestHead,
    clean_text,
    split_target,
)

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_HEAD: Final = 9
_HEADERS: Final = 1
_CONTINUATION: Final = 9
_END_HEADERS: Final = 0x04
_PADDED: Final = 0x08
_PRIORITY: Final = 0x20
_PRIORITY_BYTES: Final = 5
_FRAMES: Final = 64
_HEADS: Final = 16
_LIST_BYTES: Final = 16_384
"""A block that unfolds to more is not read: a few bytes can stand for many."""
_PAYLOAD_BYTES: Final = 16_384
_GRPC: Final = "application/grpc"


def parse_preface(payload: bytes) -> list[RequestHead] | None:
    """Request heads after the preface; None when this is none. The last head may be cut, and lack what came behind."""
    if not payload.startswith(PREFACE[: len(payload)]):
        return None
    return parse_frames(payload[len(PREFACE) :])


def parse_frames(payload: bytes) -> list[RequestHead]:
    """Request heads of a packet that begins with a frame, if no head of its connection came before."""
    from hpack import Decoder, HPACKError  # noqa: PLC0415 - as the module says

    decoder = Decoder(max_header_list_size=_LIST_BYTES)
    heads: list[RequestHead] = []
    for block, is_whole in _blocks(payload[:_PAYLOAD_BYTES]):
        try:
            fields = list(decoder.decode(block if is_whole else block[: _whole_fields(block)], raw=True))
        except HPACKError:
            break
        head = _head(fields)
        if head is not None:
            heads.append(head)
        if len(heads) == _HEADS:
            break
    return heads


def is_grpc(head: RequestHead) -> bool:
    """By its content type: application/grpc, +proto and the like (gRPC over HTTP2)."""
    return head.content_type.startswith(_GRPC)


def _blocks(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Field blocks, joined with their continuations, and whether they are whole."""
    block = b""
    for kind, flags, body, is_whole in _frames(data):
        if kind == _HEADERS:
            block = _without_padding(flags, body, is_whole)
        elif kind == _CONTINUATION:
            block += body
        else:
            continue
        if flags & _END_HEADERS and is_whole:
            yield block, True
            block = b""
    if block:
        yield block, False


def _frames(data: bytes) -> Iterator[tuple[int, int, bytes, bool]]:
    """Type, flags and what is there of the body (RFC 9113, 4.1)."""
    at = 0
    for _ in range(_FRAMES):
        head = data[at : at + _FRAME_HEAD]
        if len(head) < _FRAME_HEAD:
            return
        begin = at + _FRAME_HEAD
        at = begin + int.from_bytes(head[:3], "big")
        yield head[3], head[4], data[begin:at], at <= len(data)


def _without_padding(flags: int, body: bytes, is_whole: bool) -> bytes:
    """The field block fragment of a HEADERS frame (RFC 9113, 6.2)."""
    begin, padding = 0, 0
    if flags & _PADDED and body:
        begin, padding = 1, body[0]
    if flags & _PRIORITY:
        begin += _PRIORITY_BYTES
    end = len(body) - padding if is_whole else len(body)
    return body[begin : max(end, begin)]


def _whole_fields(block: bytes) -> int:
    """Bytes of the fields that the cut left whole (RFC 7541, 6)."""
    from hpack import HPACKError  # noqa: PLC0415 - as the module says

    at = 0
    try:
        while at < len(block):
            end = _field_end(block, at)
            if end > len(block):
                break
            at = end
    except HPACKError:
        pass
    return at


def _field_end(block: bytes, at: int) -> int:
    from hpack.hpack import decode_integer  # noqa: PLC0415 - as the module says

    first = block[at]
    if first & 0x80:  # indexed
        return at + decode_integer(block[at:], 7)[1]
    if first & 0xE0 == 0x20:  # noqa: PLR2004 - size update, its three bits 001
        return at + decode_integer(block[at:], 5)[1]
    name_index, taken = decode_integer(block[at:], 6 if first & 0x40 else 4)
    at += taken
    for _ in range(1 if name_index else 2):
        length, taken = decode_integer(block[at:], 7)
        at += taken + length
    return at


def _head(fields: Sequence[tuple[str | bytes, str | bytes]]) -> RequestHead | None:
    """None for fields without a method: trailers, or a block that was cut before it."""
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        if isinstance(name, bytes | memoryview) and isinstance(value, bytes | memoryview):
            found.setdefault(bytes(name), bytes(value))
    if b":method" not in found:
        return None
    method = clean_text(found[b":method"], METHOD_LENGTH)
    target = clean_text(found.get(b":path", b""), PATH_LENGTH)
    authority = found.get(b":authority", found.get(b"host", b""))

    def header(name: bytes, length: int) -> str:
        return clean_text(found.get(name, b""), length)

    return RequestHead(
        method=method,
        host=clean_text(authority.rpartition(b"@")[2], HOST_LENGTH),
        path=split_target(target, is_connect=False)[1],
        version="2",
        user_agent=header(b"user-agent", USER_AGENT_LENGTH),
        request_id=header(b"x-request-id", IDENTIFIER_LENGTH),
        trace_parent=header(b"traceparent", IDENTIFIER_LENGTH),
        content_type=header(b"content-type", CONTENT_TYPE_LENGTH),
    )
