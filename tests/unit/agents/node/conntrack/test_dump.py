"""An answer to a dump comes whole out of any datagrams, and what lies in them costs its own piece at most."""

import struct
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.conntrack.decode import Decoder
from agents.node.conntrack.dump import DATAGRAM_BYTES, PIECE_BYTES, Dump, DumpAnswer
from tests.unit.agents.node.conntrack.reference import recording

SEQUENCE = 7
DONE, ERROR, INTERRUPTED = 3, 2, 0x10
KERNEL, STRANGER = 0, 4711


def numbered(message: bytes, sequence: int = SEQUENCE) -> bytes:
    return message[:8] + struct.pack("=I", sequence) + message[12:]


MESSAGES = [numbered(message) for message in recording("dump")]
FEW = b"".join(MESSAGES[:100])


def done(flags: int = 0, code: int = 0, sequence: int = SEQUENCE) -> bytes:
    return struct.pack("=IHHIIi", 20, DONE, flags, sequence, 0, code)


class Answer:
    """Takes datagrams as the reader does."""

    def __init__(self) -> None:
        self._answer = DumpAnswer(Decoder(), bytearray(PIECE_BYTES), SEQUENCE)

    def take(self, datagram: bytes, sender: int = KERNEL) -> bool:
        self._answer.room()[: len(datagram)] = datagram
        return self._answer.take(len(datagram), sender)

    def whole(self, *datagrams: bytes) -> Dump:
        """What these amount to, the last of which ends the answer."""
        assert [self.take(datagram) for datagram in datagrams] == [False] * (len(datagrams) - 1) + [True]
        return self._answer.dump()


def ids(dump: Dump) -> Counter[int]:
    """Entries lie by kind in a dump, not in the kernel's order."""
    return Counter(dump.entries["id"].tolist())


FEW_IDS = ids(Answer().whole(FEW, done()))
ALL_BUT_ONE_IDS = ids(Answer().whole(b"".join(MESSAGES[:99]), done()))


@given(st.lists(st.integers(1, 200), min_size=1, max_size=40), st.booleans())
def test_entries_are_the_same_however_they_are_spread_over_datagrams(sizes: list[int], is_end_apart: bool) -> None:
    datagrams, place = [], 0
    for size in sizes:
        datagrams.append(b"".join(MESSAGES[place : place + size]))
        place = (place + size) % 2000
    end = [done()] if is_end_apart else []
    last = [] if is_end_apart else [datagrams.pop() + done()]
    dump = Answer().whole(*datagrams, *last, *end)
    assert dump.malformed == 0
    assert len(dump.entries) == sum(sizes)


def test_more_than_a_piece_holds_is_read_whole() -> None:
    rounds = 3 * PIECE_BYTES // len(FEW)
    dump = Answer().whole(*[FEW] * rounds, done())
    assert dump.malformed == 0
    assert ids(dump) == Counter({number: rounds * count for number, count in FEW_IDS.items()})


def test_an_empty_table_is_an_answer_without_entries() -> None:
    assert len(Answer().whole(done()).entries) == 0


def test_a_message_cut_at_the_end_of_a_piece_costs_nothing_of_the_next() -> None:
    a_piece = [FEW] * ((PIECE_BYTES - DATAGRAM_BYTES) // len(FEW))
    dump = Answer().whole(*a_piece, FEW[:-8], FEW, done())
    assert dump.malformed == 1
    assert ids(dump) == sum([FEW_IDS] * (len(a_piece) + 1), ALL_BUT_ONE_IDS)


@pytest.mark.parametrize("length", [0, 4, 19, 21, 4097, 1 << 16, 0xFFFF_FFFF])
def test_a_length_that_lies_is_counted_and_what_lies_before_it_stands(length: int) -> None:
    lying = struct.pack("=I", length) + MESSAGES[100][4:]
    dump = Answer().whole(FEW + lying, done())
    assert dump.malformed >= 1
    assert ids(dump) >= FEW_IDS


@given(st.data())
def test_bytes_changed_anywhere_lose_messages_at_most(data: st.DataObject) -> None:
    changed = bytearray(FEW)
    for _ in range(data.draw(st.integers(1, 5))):
        # The first message's number decides whose answer the datagram is, which is another matter.
        changed[data.draw(st.integers(20, len(changed) - 1))] = data.draw(st.integers(0, 255))
    dump = Answer().whole(bytes(changed), done())
    assert len(dump.entries) <= 100 + len(FEW) // 20
    assert len(dump.entries) == 100 or dump.malformed


def test_what_is_not_the_kernels_or_of_another_question_is_left_out() -> None:
    answer = Answer()
    assert not answer.take(FEW, STRANGER)
    assert not answer.take(done(), STRANGER)
    assert not answer.take(b"".join(numbered(message, 6) for message in MESSAGES[:100]))
    assert not answer.take(done(sequence=6))
    assert not answer.take(b"\0" * 15)
    assert ids(answer.whole(FEW, done())) == FEW_IDS


def test_an_entry_that_ends_like_the_end_is_no_end() -> None:
    assert not Answer().take(FEW + done(sequence=SEQUENCE + 1))


def test_an_interruption_is_told_by_the_end_or_by_any_message() -> None:
    marked = MESSAGES[0][:6] + struct.pack("=H", INTERRUPTED) + MESSAGES[0][8:]
    assert Answer().whole(FEW, done(INTERRUPTED)).interrupted
    assert Answer().whole(FEW, marked, done()).interrupted
    assert not Answer().whole(FEW, done()).interrupted


def test_the_kernels_refusal_is_raised_wherever_it_stands() -> None:
    refusal = struct.pack("=IHHIIi", 36, ERROR, 0, SEQUENCE, 0, -1) + bytes(16)
    with pytest.raises(PermissionError):
        Answer().take(refusal)
    with pytest.raises(OSError, match="Cannot allocate memory"):
        Answer().whole(FEW, done(code=-12))
