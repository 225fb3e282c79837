import struct

from hypothesis import given
from hypothesis import strategies as st

from agents.node.conntrack.decode import DELETE, NEW, Decoder


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def nested(kind: int, *values: bytes) -> bytes:
    return attribute(kind | 0x8000, b"".join(values))


def ports(source: int, destination: int) -> bytes:
    return nested(
        2, attribute(1, b"\x06"), attribute(2, struct.pack("!H", source)), attribute(3, struct.pack("!H", destination))
    )


def message(source: bytes = b"\x0a\0\0\1", port: int = 1000, kind: int = NEW, packets: int = 3) -> bytes:
    number, first, second = (2, 1, 2) if len(source) == 4 else (10, 3, 4)
    destination = source[:-1] + b"\x63"
    body = (
        nested(1, nested(1, attribute(first, source), attribute(second, destination)), ports(port, 80))
        + nested(2, nested(1, attribute(first, destination), attribute(second, source)), ports(80, port))
        + attribute(3, struct.pack("!I", 14))
        + nested(9, attribute(1, struct.pack("!Q", packets)), attribute(2, struct.pack("!Q", 60 * packets)))
        + attribute(12, struct.pack("!I", port))
    )
    head = struct.pack("=IHHII", 20 + len(body), kind, 2, 5, 0) + bytes((number, 0, 0, 0))
    return head + body


def decode(*messages: bytes) -> tuple[list[int], list[int], int]:
    data = bytearray(b"".join(messages))
    decoded = Decoder().decode(data, len(data))
    return (
        decoded.new["original_source_port"].tolist(),
        decoded.destroyed["original_source_port"].tolist(),
        decoded.malformed,
    )


def test_messages_of_several_kinds_and_families_are_told_apart() -> None:
    six = bytes(15) + b"\1"
    new, destroyed, malformed = decode(
        message(port=1), message(six, port=2), message(port=3, kind=DELETE), message(port=4), message(six, 5, DELETE)
    )
    assert sorted(new) == [1, 2, 4]
    assert sorted(destroyed) == [3, 5]
    assert malformed == 0


def test_values_are_read_where_the_attributes_say() -> None:
    data = bytearray(message(b"\xc0\xa8\1\2", port=4711, packets=9))
    (row,) = Decoder().decode(data, len(data)).new
    assert row["family"] == 2
    assert row["protocol"] == 6
    assert row["original_source_low"] == 0xFFFFC0A80102
    assert row["original_destination_low"] == 0xFFFFC0A80163
    assert row["reply_source_port"] == 80
    assert row["original_packets"] == 9
    assert row["original_bytes"] == 540
    assert row["reply_packets"] == 0
    assert row["has_counters"]


def test_a_row_with_other_attributes_of_the_same_length_is_not_misread() -> None:
    plain = message(port=7)
    swapped = bytearray(message(port=8))
    at = swapped.rindex(struct.pack("=HH", 8, 12))
    swapped[at : at + 4] = struct.pack("=HH", 8, 8)  # a mark where the other has an id
    data = bytearray(plain + bytes(swapped))
    rows = Decoder().decode(data, len(data)).new
    by_port = {int(row["original_source_port"]): row for row in rows}
    assert by_port[7]["id"] == 7
    assert by_port[8]["id"] == 0
    assert by_port[8]["mark"] == 8


def test_a_message_without_addresses_is_malformed_and_the_others_are_read() -> None:
    bare = struct.pack("=IHHII", 28, NEW, 2, 5, 0) + b"\2\0\0\0" + attribute(3, b"\0\0\0\1")
    new, _, malformed = decode(message(port=1), bare, message(port=2))
    assert sorted(new) == [1, 2]
    assert malformed == 1


@given(st.binary(max_size=400))
def test_garbage_is_never_believed_and_never_crashes(data: bytes) -> None:
    decoded = Decoder().decode(bytearray(data), len(data))
    assert len(decoded.new) + len(decoded.destroyed) <= len(data) // 20


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=6), st.data())
def test_damaged_messages_are_read_as_they_stand_or_counted(numbers: list[int], data: st.DataObject) -> None:
    whole = bytearray(b"".join(message(port=number) for number in numbers))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    decoded = Decoder().decode(whole, cut)
    assert len(decoded.new) + len(decoded.destroyed) <= len(numbers) + cut // 20


@given(st.lists(st.tuples(st.integers(0, 65535), st.booleans()), max_size=40))
def test_every_message_of_a_whole_buffer_is_read_once(chosen: list[tuple[int, bool]]) -> None:
    new, destroyed, malformed = decode(*(message(port=p, kind=NEW if n else DELETE) for p, n in chosen))
    assert sorted(new) == sorted(p for p, n in chosen if n)
    assert sorted(destroyed) == sorted(p for p, n in chosen if not n)
    assert malformed == 0
