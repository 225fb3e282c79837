"""Hostile HTTP/1: heads over many segments, segments that repeat or overtake, heads and lengths that lie."""

from collections.abc import Iterable
from dataclasses import replace

from tests.unit.agents.node.hostile.wire import Capture, Line, Lines

FIELDS = ("method", "path", "status", "count", "timed")
_PORT = 8080
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
Row = tuple[str, str, int, int, int]


def _get(path: str, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in ("Host: honest", *headers))
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


def _around(hostile: list[bytes]) -> list[bytes]:
    """With exchanges of honest connections before, around and after."""
    before, around, after = Line(10_001, _PORT), Line(10_002, _PORT, 6), Line(10_003, _PORT)
    return [
        before.segment(_get("/honest/before")),
        before.segment(_OK, is_reply=True),
        around.segment(_get("/honest/around")),
        *hostile,
        around.segment(_OK.replace(b"200", b"404"), is_reply=True),
        after.segment(_get("/honest/after")),
        after.segment(_OK, is_reply=True),
    ]


_HONEST: list[Row] = [
    ("GET", "/honest/before", 200, 1, 1),
    ("GET", "/honest/around", 404, 1, 1),
    ("GET", "/honest/after", 200, 1, 1),
]


def _capture(hostile: list[bytes], honest: Iterable[Row], malformed: int) -> Capture:
    return Capture(_around(hostile), [*_HONEST, *honest], malformed, FIELDS)


def segments() -> Capture:
    lines = Lines(_PORT)
    packets: list[bytes] = []
    rows: list[Row] = []

    def done(line: Line, path: str) -> None:
        packets.append(line.segment(_OK, is_reply=True))
        rows.append(("GET", path, 200, 1, 1))

    split = lines.open()
    head = _get("/honest/split", "X-Request-ID: 1", "Cookie: " + "c" * 500)
    packets += [split.segment(head[at : at + 37]) for at in range(0, len(head), 37)]
    done(split, "/honest/split")
    again = lines.open()
    head = _get("/honest/again")
    packets += [again.segment(head), again.segment(head, at=0), again.segment(head[:20], at=0)]
    packets += [again.segment(_OK, is_reply=True), again.segment(_OK, is_reply=True, at=0)]
    rows.append(("GET", "/honest/again", 200, 1, 1))
    overlap = lines.open()
    head = _get("/honest/overlap")
    packets += [overlap.segment(head[:30]), overlap.segment(head, at=0), overlap.segment(head[10:], at=10)]
    done(overlap, "/honest/overlap")
    late = lines.open()
    first, second = _get("/honest/first"), _get("/honest/second")
    packets += [late.segment(second, at=len(first)), late.segment(first, at=0)]
    packets += [late.segment(_OK, is_reply=True, at=len(_OK)), late.segment(_OK, is_reply=True, at=0)]
    rows += [("GET", "/honest/first", 200, 1, 1), ("GET", "/honest/second", 200, 1, 1)]
    single = lines.open()
    head = _get("/bytes")
    packets += [single.segment(head[at : at + 1]) for at in range(len(head))]
    return replace(_capture(packets, rows, 0), is_one_read=True)


def heads() -> Capture:
    requests = [
        b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + b"h" * 60_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(5_000)) + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"\x80\xff" * 900 + b"\r\nHost: late\r\n\r\n",
        b"GET http://user:secret@victim/a HTTP/1.1\r\nHost: other\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"OPTIONS * HTTP/1.0\r\n\r\n",
        b"CONNECT user:secret@db:5432 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1" + b"1" * 1_000,
        b"GET /%00%0d%0aX-Forged:1 HTTP/1.1\r\n\r\n",
    ]
    broken = [
        b"GET ",
        b"GET / \r\n\r\n",
        b"GET /\0 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET \r\n\r\n",
        b"POSTAL /codes HTTP/1.1\r\n\r\n",
        b"HEADACHE",
        b"DELE" + bytes(2_000),
    ]
    answers = [b"HTTP/1.1 500 No\r\n" + b"X: y\r\n" * 3_000 + b"\r\n", b"HTTP/1.0 404\r\n\r\n"]
    lies = [
        b"HTTP",
        b"HTTP/1.1 9\r\n\r\n",
        b"HTTP/1.1 -200 OK\r\n\r\n",
        b"HTTP/7.7 200 OK\r\n\r\n",
        b"HTTP" + b"\0" * 99,
    ]
    lines = Lines(_PORT)
    packets = [lines.open().segment(head) for head in [*requests, *broken]]
    packets += [lines.open().segment(head, is_reply=True) for head in [*answers, *lies]]
    return _capture(packets, [], len(broken) + len(lies))


def bodies() -> Capture:
    hostile = [
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Content-Length: 1e3\r\n",
        b"Content-Length: 5\r\nContent-Length: 50\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length : 5\r\n",
        b" Content-Length: 5\r\n",
        b"Content-Length: 5\0\r\n",
        b"X: a\nContent-Length: 5\r\n",
    ]
    chunks = [
        b"ffffffffffffffff\r\nx",
        b"-1\r\nx",
        b"5;" + b"e" * 1_000 + b"\r\nhello\r\n0\r\n\r\n",
        b"0\r\n" + b"T: r\r\n" * 200,
    ]
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    lines = Lines(_PORT)
    packets = []
    for headers in hostile:
        line = lines.open()
        packets += [line.segment(b"POST /hostile HTTP/1.1\r\n" + headers + b"\r\nhello" + smuggled)]
        packets += [line.segment(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\nhello" + _OK, is_reply=True)]
    for chunk in chunks:
        line = lines.open()
        packets += [line.segment(b"POST /hostile HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)]
        packets += [line.segment(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk, is_reply=True)]
    packets += [lines.open().segment(smuggled * 400), lines.open().segment(_OK * 400, is_reply=True)]
    continued, upgraded, orphan = lines.open(), lines.open(), lines.open()
    packets += [continued.segment(_get("/honest/continued", "Expect: 100-continue"))]
    packets += [
        continued.segment(b"HTTP/1.1 100 Continue\r\n\r\n", is_reply=True),
        continued.segment(_OK, is_reply=True),
    ]
    packets += [upgraded.segment(_get("/honest/upgraded", "Connection: Upgrade", "Upgrade: websocket"))]
    switched = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"
    packets += [upgraded.segment(switched, is_reply=True), upgraded.segment(b"\x81\x85abcd")]
    packets += [orphan.segment(b"HTTP/1.1 418 No\r\n\r\n", is_reply=True)]
    rows = [("GET", "/honest/continued", 200, 1, 1), ("GET", "/honest/upgraded", 101, 1, 1), ("", "", 418, 1, 0)]
    return _capture(packets, rows, 0)


CAPTURES = {"http1-segments": segments, "http1-heads": heads, "http1-bodies": bodies}
