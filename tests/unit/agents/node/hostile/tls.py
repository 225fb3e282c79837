"""Hostile ClientHellos: lengths that lie at each level, no extensions, names with NULs or without end, fragments."""

from tests.unit.agents.node.application.test_hello import extension, record, vector, words
from tests.unit.agents.node.hostile.wire import Capture, Line, Lines

FIELDS = ("protocol", "host", "tls_version", "tls_alpn", "tls_ja4", "count")
_PORT = 443
_JA4 = "t13d1516h2_8daaf6152771_e5627efa2ab1"


def hello(
    extensions: bytes | None, *, ciphers: bytes = b"\x13\x01", session: bytes = b"", compression: bytes = b"\0"
) -> bytes:
    """The body of a handshake message."""
    fixed = b"\x03\x03" + bytes(32) + vector(session, 1) + vector(ciphers, 2) + vector(compression, 1)
    return fixed if extensions is None else fixed + vector(extensions, 2)


def in_records(body: bytes, *, claimed: int | None = None, size: int = 1 << 14) -> bytes:
    message = b"\x01" + (len(body) if claimed is None else claimed).to_bytes(3, "big") + body
    return b"".join(b"\x16\x03\x01" + vector(message[at : at + size], 2) for at in range(0, len(message), size))


def named(name: bytes) -> bytes:
    return extension(0, vector(b"\0" + vector(name, 2), 2))


def lengths() -> Capture:
    good = hello(named(b"hostile.example"))
    lies = [
        b"\x16\x03\x01\0\0\x01",
        b"\x16\x03\x01\0\1\x01\x17\x03\x03\0\1x",
        in_records(good, claimed=10),
        in_records(hello(b"")[:-2] + b"\xff\xff") + b"\x17\x03\x03\0\0",
        in_records(b"\x03\x03" + bytes(32) + b"\xff") + b"\x17\x03\x03\0\0",
        in_records(hello(None, ciphers=b"\x13\x01")[:-2] + b"\xff") + b"\x17\x03\x03\0\0",
        in_records(hello(b"\0\0\xff\xff")) + b"\x17\x03\x03\0\0",
        in_records(hello(extension(0, b"\xff\xff\0"))),
        in_records(hello(extension(0, vector(b"\0\xff\xff", 2)))),
        in_records(hello(extension(16, b"\xff\xff\2h2"))),
        in_records(hello(extension(16, vector(b"\xffh2", 2)))),
        in_records(hello(extension(43, b"\xff\3\4"))),
        in_records(hello(extension(13, b"\xff\xff\4\3"))),
    ]
    truths = [
        in_records(good, claimed=0xFFFFFF),
        in_records(good, size=50),
        in_records(good, size=1),
        in_records(good)[:60],
        in_records(hello(None)),
        in_records(hello(b"")),
        in_records(hello(extension(43, vector(b"\3\4\3", 1)))),
        in_records(hello(None, ciphers=b"\x13\x01\x13")),
    ]
    return _capture(lies, truths)


def contents() -> Capture:
    truths = [
        in_records(hello(named(b"evil.example\0.honest.example"))),
        in_records(hello(named(b"\r\n\x1b[2J\xff\xfe"))),
        in_records(hello(named(b"n" * 65_000)))[:65_000],
        in_records(hello(named(b""))),
        in_records(hello(extension(0, vector((b"\0" + vector(b"a", 2)) * 100, 2)))),
        in_records(hello(named(b"first.example") + named(b"second.example"))),
        in_records(hello(extension(16, vector(b"\0" * 200, 2)))),
        in_records(hello(extension(16, vector(vector(b"\xff" * 200, 1) * 9, 2)))),
        in_records(hello(b"".join(extension(kind, b"") for kind in range(400)))),
        in_records(hello(None, ciphers=words(list(range(900))))),
        in_records(hello(b"", session=bytes(255), compression=bytes(255))),
        b"\x16\x03\xff" + in_records(hello(None))[3:],
    ]
    return _capture([], truths)


def _capture(lies: list[bytes], truths: list[bytes]) -> Capture:
    lines = Lines(_PORT)
    packets = [Line(10_001, _PORT).segment(record())]
    for one in [*lies, *truths]:
        line = lines.open()
        packets += [line.segment(one), line.segment(one, at=0)]
    packets.append(Line(10_002, _PORT, 6).segment(record()))
    honest = ("tls", "shop.example", "1.3", ["h2"], _JA4)
    return Capture(packets, [(*honest, 1), (*honest, 1)], 2 * len(lies), FIELDS)


CAPTURES = {"tls-lengths": lengths, "tls-contents": contents}
