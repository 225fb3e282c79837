"""Messages of one length by what was learned from some of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.datagram.message import Bytes, Flags, Layouts, Pattern, address, column, gather


class FirstWord:
    """Messages that begin as this one; a message that begins with 9 teaches nothing, with 8 nothing of itself."""

    def __init__(self, message: bytes) -> None:
        if message[0] == 9:
            raise ValueError(message)
        self.first = message[0] + (message[0] == 8)

    def fits(self, rows: Bytes) -> Flags:
        fits: Flags = rows[:, 0] == self.first
        return fits


def rows_of(*firsts: int) -> Bytes:
    rows = np.zeros((len(firsts), 8), np.uint8)
    rows[:, 0] = firsts
    return rows


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 5))
def test_each_message_is_where_its_arrangement_is_and_those_without_are_nowhere(firsts: list[int], room: int) -> None:
    layouts = Layouts(FirstWord, room)
    for _ in range(2):
        sorted_rows = layouts.sort(rows_of(*firsts))
        found = {int(position): layout.first for layout, positions in sorted_rows for position in positions}
        assert found == {position: first for position, first in enumerate(firsts) if first < 8}
        assert len(layouts) <= room


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_a_pattern_looks_at_its_bits_alone(message: bytes, mask: bytes, other: bytes) -> None:
    pattern = Pattern(message, np.frombuffer(mask, np.uint8))
    [fits] = pattern.fits(np.frombuffer(other, np.uint8).reshape(1, -1))
    assert fits == all(one & bits == two & bits for one, two, bits in zip(message, other, mask, strict=True))


def test_numbers_are_read_at_any_offset_and_never_beyond_a_row() -> None:
    rows = np.arange(32, dtype=np.uint8).reshape(2, 16)
    assert column(rows, 3, ">u2").tolist() == [0x0304, 0x1314]
    with pytest.raises((TypeError, ValueError)):
        column(rows[1:], 15, ">u2")


def test_addresses_of_both_families_are_two_words() -> None:
    rows = np.arange(32, dtype=np.uint8).reshape(2, 16)
    assert [words.tolist() for words in address(rows[:1], 4, 4)] == [[0], [0xFFFF_0405_0607]]
    assert [words.tolist() for words in address(rows[:1], 0, 16)] == [[0x0001020304050607], [0x08090A0B0C0D0E0F]]


def test_messages_are_gathered_from_anywhere_in_the_buffer() -> None:
    buffer = bytearray(range(64))
    assert gather(buffer, 64, np.array([4, 48]), 8).tolist() == [list(range(4, 12)), list(range(48, 56))]
