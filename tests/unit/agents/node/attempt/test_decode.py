"""Many log messages at once give what each gives by itself, whatever they hold."""

import struct

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from agents.node.attempt.decode import AttemptDecoder, Decoded
from agents.node.attempt.parse import parse_message
from agents.node.log_group.message import Numbered
from tests.unit.agents.node.attempt.packets import (
    ICMP,
    RST,
    TCP,
    UDP,
    attribute,
    direction,
    echo,
    ipv4,
    ipv6,
    message,
    ports,
)

_NOW_NS = 1_800_000_000_000_000_000
_ROOM = 8 << 10
_CT, _TIME, _ZONE = 18, 3, 18
_COPIES = 9
"""More than are read one by one."""
_SYN = ipv4("10.0.0.1", "10.96.0.1", TCP, ports(1234, 80))
_SYN6 = ipv6("fd00::1", "fd00::2", TCP, ports(5, 6))
_TUPLES = direction(1, "10.0.0.1", "10.96.0.1", 1234, 80) + direction(2, "10.0.0.9", "10.0.0.1", 8080, 1234)
_TUPLES6 = direction(1, "fd00::1", "fd00::2", 5, 6) + direction(2, "fd00::2", "fd00::1", 6, 5)
_NEAR = struct.pack("!QQ", _NOW_NS // 10**9 - 1, 5)
_KINDS = (
    message("d", _SYN, sequence=3),
    message("t", _SYN, (_TIME, _NEAR)),
    message("d", _SYN, (_TIME, _NEAR), (_CT, _TUPLES), sequence=3),
    message("t", _SYN, (_CT, _TUPLES + attribute(_ZONE, b"\0\7"))),
    message("d", _SYN6, (_CT, _TUPLES6)),
    message("t", _SYN6),
    message("d", ipv4("10.0.0.1", "10.0.0.2", UDP, ports(1, 2))),
    message("d", ipv4("10.0.0.1", "10.0.0.2", TCP, ports(1, 2), options=bytes(4))),
    message("d", ipv4("10.0.0.1", "10.0.0.2", UDP, ports(1, 2), fragment=0x2000)),
    message("d", ipv4("10.0.0.1", "10.0.0.2", UDP, ports(1, 2), fragment=7)),
    message("d", ipv4("10.0.0.1", "10.0.0.2", ICMP, echo(77))),
    message("r", ipv4("10.0.0.9", "10.0.0.1", TCP, ports(8080, 1234, flags=RST))),
    message("x", _SYN),
    message("d", b"\x45"),
)


def decode(*datagrams: bytes, decoder: AttemptDecoder | None = None) -> Decoded:
    buffer = bytearray(b"".join(data + bytes(_ROOM - len(data)) for data in datagrams))
    sizes = np.array([len(data) for data in datagrams], np.int64)
    return (decoder or AttemptDecoder()).decode(buffer, _ROOM, sizes, _NOW_NS)


def rows_of(messages: list[bytes]) -> npt.NDArray[np.void]:
    """What each message gives by itself."""
    rows = [parse_message(data, _NOW_NS) for data in messages]
    return np.array([row for row in rows if row is not None], decode().rows.dtype)


def test_each_kind_of_message_is_read_in_numbers_as_it_is_alone() -> None:
    for number, kind in enumerate(_KINDS):
        decoded = decode(kind * _COPIES)
        assert decoded.rows.tolist() == rows_of([kind] * _COPIES).tolist(), number
        assert decoded.malformed == _COPIES - len(decoded.rows), number


@given(st.lists(st.sampled_from(_KINDS), max_size=60), st.integers(1, 4))
def test_rows_keep_the_kernels_order_over_kinds_and_datagrams(messages: list[bytes], datagrams: int) -> None:
    size = len(messages) // datagrams + 1
    lots = [messages[start : start + size] for start in range(0, size * datagrams, size)]
    decoded = decode(*(b"".join(lot) for lot in lots))
    assert decoded.rows.tolist() == rows_of(messages).tolist()
    assert decoded.malformed == len(messages) - len(decoded.rows)


@given(st.data())
def test_hostile_messages_among_good_ones_are_read_as_alone(data: st.DataObject) -> None:
    """What was learned from a good message is never believed of one that differs, nor the other way round."""
    kind = bytearray(data.draw(st.sampled_from(_KINDS)))
    messages = []
    for _ in range(data.draw(st.integers(_COPIES, 2 * _COPIES))):
        changed = bytearray(kind)
        # The netlink header stays: where messages lie is the matter of framing, which has its own tests.
        for _ in range(data.draw(st.integers(0, 3))):
            changed[data.draw(st.integers(20, len(kind) - 1))] = data.draw(st.integers(0, 255))
        messages.append(bytes(changed))
    decoder = AttemptDecoder()
    for _ in range(2):
        decoded = decode(b"".join(messages), decoder=decoder)
        assert decoded.rows.tolist() == rows_of(messages).tolist()
        assert decoded.malformed == len(messages) - len(decoded.rows)


@given(st.lists(st.binary(max_size=64), min_size=_COPIES, max_size=20))
def test_packets_of_any_bytes_are_read_as_alone(packets: list[bytes]) -> None:
    messages = [message("d", (packet + bytes(64))[:64]) for packet in packets]
    assert decode(b"".join(messages)).rows.tolist() == rows_of(messages).tolist()


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_any_bytes_give_rows_or_a_count(datagrams: list[bytes]) -> None:
    decoded = decode(*datagrams)
    assert len(decoded.rows) + decoded.malformed <= sum(len(data) // 4 + 1 for data in datagrams)


@given(st.data())
def test_a_message_cut_or_changed_anywhere_is_read_or_counted(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(_KINDS)) * _COPIES)
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    decoded = decode(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    assert len(decoded.rows) <= _COPIES


def test_the_end_of_a_message_of_many_parts_is_no_message() -> None:
    done = struct.pack("=IHHII", 20, 3, 0, 0, 0) + bytes(4)
    decoded = decode(message("d", _SYN) + done)
    assert (len(decoded.rows), decoded.malformed) == (1, 0)


def test_the_first_number_counts_messages_before_it() -> None:
    decoded = decode(message("x", _SYN) + message("d", _SYN, sequence=41), b"", message("d", _SYN))
    assert decoded.numbered == (Numbered(40, 2), Numbered(None, 1))


def test_the_kernels_time_is_taken_when_it_is_credible() -> None:
    times = [struct.pack("!QQ", seconds, microseconds) for seconds, microseconds in (
        (_NOW_NS // 10**9 - 1, 5), (17, 5), (_NOW_NS // 10**9 + 1, 0), (2**64 - 1, 2**64 - 1), (2**63 // 10**9 * 2, 0),
        (_NOW_NS // 10**9 - 1, 10**6), (_NOW_NS // 10**9, 0), (_NOW_NS // 10**9 - 60, 0), (_NOW_NS // 10**9 - 59, 0),
    )]  # fmt: skip
    messages = [message("d", _SYN, (_TIME, time)) for time in times]
    seen = decode(b"".join(messages)).rows["seen_at_ns"].tolist()
    assert seen == [_NOW_NS - 10**9 + 5000, *[_NOW_NS] * 7, _NOW_NS - 59 * 10**9]
    assert seen == rows_of(messages)["seen_at_ns"].tolist()
