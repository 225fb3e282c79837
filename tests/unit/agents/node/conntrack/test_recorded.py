"""Messages that a kernel told (6.18), against pyroute2's decoder; ``tests.kernel.conntrack.record`` renews them."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.node.conntrack.decode import Decoder
from agents.node.conntrack.entry import Entries
from tests.unit.agents.node.conntrack.reference import expected, fields, recording

DELETE = 2
ROOM = 2048
Row = tuple[tuple[str, Any], ...]


def kind(message: bytes) -> int:
    return message[4]


def ours(entries: Entries) -> list[Row]:
    return sorted(tuple(sorted(fields(row).items())) for row in entries)


def theirs(messages: list[bytes]) -> list[Row]:
    return sorted(tuple(sorted(expected(message).items())) for message in messages)


def datagrams(messages: list[bytes]) -> tuple[bytearray, np.ndarray[Any, np.dtype[np.int64]]]:
    buffer = bytearray(b"".join(message.ljust(ROOM, b"\xee") for message in messages))
    return buffer, np.array([len(message) for message in messages], np.int64)


def test_every_field_of_a_recorded_dump_is_what_pyroute2_reads() -> None:
    messages = recording("dump")
    assert len(messages) > 2000
    buffer = bytearray(b"".join(messages))
    decoded = Decoder().decode(buffer, len(buffer))
    assert decoded.malformed == 0
    assert len(decoded.destroyed) == 0
    assert ours(decoded.new) == theirs(messages)


def test_every_field_of_recorded_events_is_what_pyroute2_reads() -> None:
    messages = recording("events")
    buffer, sizes = datagrams(messages)
    decoded = Decoder().decode_datagrams(buffer, ROOM, sizes)
    assert decoded.malformed == 0
    assert ours(decoded.new) == theirs([message for message in messages if kind(message) != DELETE])
    assert ours(decoded.destroyed) == theirs([message for message in messages if kind(message) == DELETE])


def test_the_recordings_hold_every_kind_of_entry() -> None:
    rows = [expected(message) for message in [*recording("dump"), *recording("events")]]
    assert {row["protocol"] for row in rows} >= {1, 6, 17, 47, 58, 89, 132, 136}
    assert {row["family"] for row in rows} == {2, 10}
    assert {row["zone"] for row in rows} >= {0, 31, 32, 33, 34}
    assert any(row["original_bytes"] and row["reply_bytes"] and row["stopped_at_ns"] for row in rows)
    assert any(row["original_destination_low"] != row["reply_source_low"] for row in rows)
    assert any(row["original_source_low"] != row["reply_destination_low"] for row in rows)
    assert {row["icmp_id"] for row in rows} >= {4711, 4712}
    assert {row["has_counters"] for row in rows} == {False, True}


@pytest.mark.parametrize("flags", [0x02, 0x12])
def test_a_dump_that_changes_its_flags_on_the_way_is_read_whole(flags: int) -> None:
    """NLM_F_DUMP_INTR is set from the message on at which the table was seen to have changed."""
    messages = recording("dump")[:50]
    changed = [*messages[:20], *(m[:6] + struct.pack("=H", flags) + m[8:] for m in messages[20:])]
    buffer = bytearray(b"".join(changed))
    decoded = Decoder().decode(buffer, len(buffer))
    assert len(decoded.new) == 50
    assert decoded.interrupted == (flags == 0x12)


def test_a_value_that_looks_like_a_header_does_not_mislead() -> None:
    messages = recording("dump")[:30]
    six = next(message for message in recording("dump") if message[16] == 10)
    at = six.index(struct.pack("=HH", 20, 3)) + 4  # CTA_IP_V6_SRC: its sender chooses all of it
    hostile = six[:at] + struct.pack("=I", 24) + six[4:16] + six[at + 16 :]
    buffer = bytearray(b"".join([*messages, hostile, *messages]))
    decoded = Decoder().decode(buffer, len(buffer))
    assert decoded.malformed == 0
    assert len(decoded.new) == 61


SOME = [*recording("events")[:12], *recording("events")[-12:]]


@settings(max_examples=100)
@given(st.data())
def test_damage_in_one_datagram_does_not_reach_the_others(data: st.DataObject) -> None:
    """Bytes, sizes and lengths of one are whatever somebody likes; all others are read, and nothing else is."""
    victim = data.draw(st.integers(0, len(SOME) - 1))
    damaged = bytearray(SOME[victim])
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    messages = [*SOME[:victim], bytes(damaged[: data.draw(st.integers(0, len(damaged)))]), *SOME[victim + 1 :]]
    buffer, sizes = datagrams(messages)
    decoder = Decoder()
    decoded = decoder.decode_datagrams(buffer, ROOM, sizes)
    others = ours(np.concatenate([decoded.new, decoded.destroyed]))
    for row in theirs([*SOME[:victim], *SOME[victim + 1 :]]):
        others.remove(row)
    assert len(others) <= len(damaged) // 20
    assert bool(others) or decoded.malformed or len(messages[victim]) == 0


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=8))
def test_datagrams_of_garbage_are_counted_and_never_crash(garbage: list[bytes]) -> None:
    buffer, sizes = datagrams(garbage)
    decoded = Decoder().decode_datagrams(buffer, ROOM, sizes)
    assert len(decoded.new) + len(decoded.destroyed) + decoded.malformed >= sum(bool(g) for g in garbage)


def test_the_number_of_learned_arrangements_is_bounded_and_those_beyond_are_read() -> None:
    """Unknown attributes of many kinds: each makes an arrangement of its own."""
    decoder = Decoder()
    message = recording("dump")[0]
    for number in range(600):
        extra = struct.pack("=HHI", 8, 100 + number, number)
        longer = bytearray(struct.pack("=I", len(message) + 8) + message[4:] + extra)
        decoded = decoder.decode(longer, len(longer))
        assert ours(decoded.new) == theirs([message])
    assert len(decoder._layouts) == 256


def test_a_message_of_endless_attributes_is_malformed() -> None:
    message = recording("dump")[0]
    many = message + struct.pack("=HH", 4, 99) * 200
    buffer = bytearray(struct.pack("=I", len(many)) + many[4:])
    decoded = Decoder().decode(buffer, len(buffer))
    assert (len(decoded.new), decoded.malformed) == (0, 1)
