"""Hostile DNS: names, counts and lengths that lie, over UDP and in the frames of TCP."""

import struct
from collections.abc import Callable, Iterable

from tests.unit.agents.node.dns.packets import answer, query
from tests.unit.agents.node.hostile.wire import Capture, Line, Lines

FIELDS = ("name", "response_code", "answers", "count", "timed")
_A, _CNAME, _OPT, _IN = 1, 5, 41, 1
_QUESTION_AT = 12


def name(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(labels: bytes = name(b"bad", b"example")) -> bytes:
    return labels + struct.pack("!HH", _A, _IN)


def message(body: bytes, answers: int = 0, *, questions: int = 1, others: tuple[int, int] = (0, 0)) -> bytes:
    """An answer whose counts are as given."""
    return struct.pack("!HHHHHH", 7, 0x8180, questions, answers, *others) + body


def record(data: bytes, *, owner: bytes = b"\xc0\x0c", kind: int = _A, length: int | None = None) -> bytes:
    return owner + struct.pack("!HHIH", kind, _IN, 30, len(data) if length is None else length) + data


def pointer(place: int) -> bytes:
    return (0xC000 | place).to_bytes(2, "big")


_END = _QUESTION_AT + len(question())
"""Where the first record begins."""
_CHAIN_AT = _END + len(record(b""))


def _answered(said: Iterable[bytes], build: Callable[[bytes], bytes] = lambda said: said) -> list[bytes]:
    """Each to a query of its own, from a port of its own."""
    packets = []
    lines = Lines(53)
    for one in said:
        line = lines.open()
        asked = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question()
        packets += [line.datagram(asked), line.datagram(build(one), is_reply=True)]
    return packets


def _honest(number: int, version: int = 4) -> tuple[list[bytes], tuple[str, str, list[str], int, int]]:
    line, text = Line(10_000 + number, 53, version), f"honest-{number}.example."
    asked = query(text, identifier=number)
    said = answer(asked, (text, "A", f"192.0.2.{number}"))
    packets = [line.datagram(asked), line.datagram(said, is_reply=True)]
    return packets, (text[:-1], "NOERROR", [f"192.0.2.{number}"], 1, 1)


def _capture(hostile: list[bytes], malformed: int) -> Capture:
    """With an honest exchange before, after, and around all that is hostile."""
    (before, first), (after, second), (around, third) = _honest(1), _honest(2, 6), _honest(3)
    return Capture([*before, around[0], *hostile, around[1], *after], [first, second, third], malformed, FIELDS)


def names() -> Capture:
    loops = [
        message(question() + record(b"\1\2\3\4", owner=pointer(_END)), 1),
        message(question() + record(b"\1\2\3\4", owner=pointer(_END + 2)), 1),
        message(question() + pointer(_END + 2) + record(b"\1\2\3\4", owner=pointer(_END)), 1),
        message(question() + record(b"\1\2\3\4", owner=pointer(0x3FFF)), 1),
        message(question() + record(name(b"x" * 60), kind=_CNAME, owner=b"\xc0"), 1),
        message(question(pointer(_QUESTION_AT))),
        message(question(b"\3bad" + pointer(0))),
    ]
    long = [
        message(question(name(*[b"a" * 63] * 4))),
        message(question() + record(name(*[b"a" * 63] * 4), kind=_CNAME), 1),
        message(question() + record(name(*[b"a" * 63] * 3)[:-1] + pointer(_QUESTION_AT), kind=_CNAME) * 2, 2),
        message(question() + record(name(*[b"a" * 62] * 3)[:-1] + b"\x3f" + b"b" * 63 + pointer(12), kind=_CNAME), 1),
        message(question(b"\x40" + b"a" * 64 + b"\0")),
        message(question(b"\x80bad\0")),
        message(b"\3bad\7example"),
    ]
    chain = b"".join([name(b"x"), pointer(_CHAIN_AT), *(pointer(_CHAIN_AT + 3 + 2 * n) for n in range(100))])
    strange = [
        message(question() + record(chain, kind=65_280) + record(b"\1\2\3\4", owner=pointer(_CHAIN_AT + 203)), 2),
        message(question() + record(question()[:-4], kind=_CNAME) * 2, 2),
        message(question(name(b"\0\n\r\x1b[2J", b'a.b"\\', b"\xff\xfe"))),
        message(question(b"\0")),
    ]
    # Of the longs the third is none: 192 bytes and what they point to are a name. The chain has too many pointers.
    return _capture(_answered([*loops, *long, *strange]), len(loops) + len(long))


def counts() -> Capture:
    one = record(b"\1\2\3\4")
    lies = [
        message(question() + one, 65_535),
        message(question() * 2 + one, 1, questions=65_535),
        message(one, 1, questions=0),
        message(question(), 65_535, questions=1, others=(65_535, 65_535)),
        message(question() + one, 1, others=(1, 0)),
        message(question() + record(b"\1\2\3\4", length=65_535), 1),
        message(question() + record(b"\1\2\3"), 1),
        message(question() + record(b"\1\2\3\4\5"), 1),
        message(question())[:11],
        b"\0",
        b"",
        b"\xff" * 300,
        query("bad.example.", identifier=7),
    ]
    bad_options = b"\0\x0a\xff\xff\1"
    truths = [
        message(question() + one + record(bad_options, owner=b"\0", kind=_OPT), 1, others=(0, 1)),
        message(question() + record(b"\0\x0a\0", owner=b"\0", kind=_OPT) * 3, 0, others=(0, 3)),
        message(question() + one * 200, 200),
        message(question() + one * 2000, 2000),
        message(question(name(b"another", b"example")) + one, 1),
        *(message(question() + record(b"x", kind=kind), 1) for kind in (3, 62_000, 65_535)),
    ]
    return _capture(_answered([*lies, *truths]), len(lies))


def frames() -> Capture:
    """Over TCP."""
    lines = Lines(53)
    asked = query("honest-9.example.", identifier=9)
    said = answer(asked, ("honest-9.example.", "A", "192.0.2.9"))
    frame = len(asked).to_bytes(2, "big") + asked
    back = len(said).to_bytes(2, "big") + said
    packets = []
    zero, byte, again, mixed = (lines.open() for _ in range(4))
    packets += [zero.segment(b"\0\0" * 3 + frame), zero.segment(back, is_reply=True)]
    for data, is_reply in ((frame, False), (back, True)):
        packets += [byte.segment(data[at : at + 1], is_reply=is_reply) for at in range(len(data))]
        packets += [again.segment(data[:20], is_reply=is_reply)] * 2
        packets += [again.segment(data[10:], is_reply=is_reply, at=10), again.segment(data, is_reply=is_reply, at=0)]
    packets += [mixed.segment(frame[20:], at=20), mixed.segment(frame[:20], at=0)]
    for hostile in (b"\xff\xff" + bytes(100), b"\x40\x01x", b"\0\x05" + frame[2:], b"\0\x0c" + bytes(12), frame[:30]):
        packets.append(lines.open().segment(hostile))
    hole = lines.open()
    packets += [hole.segment(frame[:9]), hole.segment(frame, at=5_000)]
    text = "honest-9.example"
    rows = [(text, "NOERROR", ["192.0.2.9"], 2, 2), (text, "NOERROR", ["192.0.2.9"], 1, 1), (text, "TIMEOUT", [], 1, 0)]
    # Three empty messages, the end of one before its beginning, four that lie, and the beginning before the hole.
    return Capture(packets, rows, 3 + 1 + 4 + 1, FIELDS)


CAPTURES = {"dns-names": names, "dns-counts": counts, "dns-frames": frames}
