"""Answers wait for their queries, in order and within a bound."""

from agents.node.payload.held import HeldPackets
from agents.node.payload.packet import Kind
from tests.support.application import SECOND, packet


def test_packets_wait_until_their_time_has_come_and_are_taken_once() -> None:
    held = HeldPackets()
    answers = [packet(Kind.DNS_ANSWER, b"", seen_at_ns=turn * SECOND, has_exact_time=False) for turn in (1, 2)]
    held.add(answers[:1], is_timed=True)
    held.add(answers[1:], is_timed=False)
    assert held.take(SECOND) == []
    [first] = held.take(2 * SECOND)
    [second] = held.take(3 * SECOND)
    assert (first.seen_at_ns, first.has_exact_time) == (SECOND, True)
    assert (second.seen_at_ns, second.has_exact_time) == (2 * SECOND, False)
    assert held.take(4 * SECOND) == []


def test_what_finds_no_room_is_counted() -> None:
    held = HeldPackets()
    held.add([packet(Kind.DNS_ANSWER, b"")] * 1_030, is_timed=True)
    assert held.overflowed == 6
    assert len(held.take(2 * SECOND)) == 1_024
