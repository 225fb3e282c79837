"""Hostile HTTP/2 in clear: frames whose lengths lie, paddings beyond them, blocks that unfold to too much."""

from hpack import Encoder

from agents.node.application.http2 import PREFACE
from tests.unit.agents.node.hostile.wire import Capture, Line, Lines

FIELDS = ("protocol", "method", "path", "host", "count")
_PORT = 50_051
_HEADERS, _SETTINGS, _CONTINUATION = 1, 4, 9
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x4, 0x8, 0x20
_WHOLE = _END_STREAM | _END_HEADERS


def frame(kind: int, flags: int, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return size.to_bytes(3, "big") + bytes((kind, flags)) + (1).to_bytes(4, "big") + body


def block(path: str) -> bytes:
    fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "honest")]
    return Encoder().encode([*fields, ("content-type", "application/grpc")])


def _honest(port: int, path: str, version: int = 4) -> bytes:
    line = Line(port, _PORT, version)
    return line.segment(PREFACE + frame(_SETTINGS, 0, b"") + frame(_HEADERS, _WHOLE, block(path)))


def frames() -> Capture:
    plain = block("/hostile")
    hostile = [
        frame(_HEADERS, _WHOLE, plain, 0xFFFFFF),
        frame(_SETTINGS, 0, b"", 0xFFFFFF) + frame(_HEADERS, _WHOLE, plain),
        frame(_HEADERS, _WHOLE | _PADDED, b"\xff" + plain),
        frame(_HEADERS, _WHOLE | _PADDED, b""),
        frame(_HEADERS, _WHOLE | _PADDED | _PRIORITY, b"\x01\0\0"),
        frame(_CONTINUATION, _END_HEADERS, plain),
        frame(_HEADERS, 0, plain[:3]) + frame(_CONTINUATION, 0, b"") * 190,
        frame(_HEADERS, _WHOLE, b"") * 210,
        bytes(2_000),
        b"\xff" * 2_000,
    ]
    return _capture(hostile)


def blocks() -> Capture:
    bomb = Encoder().encode([("x", "a" * 1_000)], huffman=False) + b"\xbe" * 900
    hostile = [
        frame(_HEADERS, _WHOLE, bomb),
        frame(_HEADERS, _WHOLE, b"\x80"),
        frame(_HEADERS, _WHOLE, b"\xff" * 300),
        frame(_HEADERS, _WHOLE, b"\x3f\xff\xff\xff\xff\x0f"),
        frame(_HEADERS, _WHOLE, b"\x20" * 1_900),
        frame(_HEADERS, _WHOLE, b"\x40\x83\xff\xff\xff\x83\xff\xff\xff"),
        frame(_HEADERS, _WHOLE, b"\x40\x7f\xff\xff\xff\xff\xff\xff\xff\xff"),
        frame(_HEADERS, _WHOLE, b"\x00\x07:method\x05G\0\r\nT\x00\x05:path\x03\xff\0\xfe"),
        frame(_HEADERS, _WHOLE, b"\x00\x01x\x00" * 480),
    ]
    return _capture(hostile)


def _capture(hostile: list[bytes]) -> Capture:
    lines = Lines(_PORT)
    packets = [_honest(10_001, "/honest/before")]
    packets += [lines.open().segment(PREFACE + one) for one in hostile]
    packets += [lines.open().segment(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + one) for one in hostile]
    packets += [lines.open().segment(b"PRI * HTTP/1.1\r\n\r\n"), lines.open().segment(b"PRI ")]
    packets.append(_honest(10_002, "/honest/after", 6))
    rows = [("grpc", "POST", f"/honest/{when}", "honest", 1) for when in ("before", "after")]
    return Capture(packets, rows, len(hostile) + 1, FIELDS)


CAPTURES = {"http2-frames": frames, "http2-blocks": blocks}
