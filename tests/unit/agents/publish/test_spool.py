from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from agents.publish.interval import Interval, Message
from agents.publish.spool import Spool


def interval(sequence: int, size: int = 10, messages: int = 1) -> Interval:
    first = Message(0, bytes(size - messages + 1))
    return Interval(sequence, messages, True, (first, *(Message(index, b"x") for index in range(1, messages))))


def test_intervals_leave_when_every_message_is_confirmed() -> None:
    spool = Spool(100, 0)
    spool.add(interval(0, messages=2))
    assert spool.next_to_send() == 0
    spool.mark_sent(0, 2)
    assert spool.next_to_send() is None
    assert [spool.confirm(0, index) for index in (1, 1, 0)] == [False, False, True]
    assert len(spool) == 0


def test_the_oldest_are_dropped_first_and_counted() -> None:
    spool = Spool(25, 0)
    dropped = [spool.add(interval(sequence)) for sequence in range(4)]
    assert dropped == [[], [], [0], [1]]
    assert spool.sequences() == [2, 3]
    assert spool.dropped == 2


def test_what_is_under_way_is_not_dropped() -> None:
    spool = Spool(25, 0)
    spool.add(interval(0))
    spool.mark_sent(0, 1)
    spool.add(interval(1))
    assert spool.add(interval(2)) == [1]
    assert spool.sequences() == [0, 2]


def test_beyond_the_memory_intervals_stay_on_disk_alone() -> None:
    spool = Spool(25, 1000)
    for sequence in range(4):
        assert spool.add(interval(sequence)) == []
    assert [spool.interval(sequence) is not None for sequence in range(4)] == [True, True, False, False]
    assert spool.size_bytes == 40


def test_an_interval_larger_than_the_spool_is_dropped_itself() -> None:
    spool = Spool(25, 0)
    assert spool.add(interval(0, size=30)) == [0]
    assert spool.next_to_send() is None


def test_intervals_of_an_earlier_life_are_sent_first() -> None:
    spool = Spool(25, 1000)
    assert spool.add_stored(3, 10) == []
    spool.add(interval(4))
    assert spool.next_to_send() == 3
    assert spool.interval(3) is None


def test_after_a_rejection_all_unconfirmed_are_sent_again_in_order() -> None:
    spool = Spool(100, 0)
    for sequence in range(3):
        spool.add(interval(sequence))
        spool.mark_sent(sequence, 1)
    spool.confirm(1, 0)
    spool.send_again()
    assert spool.next_to_send() == 0
    spool.mark_sent(0, 1)
    assert spool.next_to_send() == 2
    assert not spool.confirm(2, 0), "a confirmation of what is not under way"


def test_what_cannot_be_read_is_given_up_and_counted() -> None:
    spool = Spool(100, 100)
    spool.add_stored(0, 10)
    spool.discard(0)
    spool.discard(0)
    assert (len(spool), spool.dropped) == (0, 1)


@given(st.lists(st.sampled_from(["add", "send", "confirm", "reject"]), max_size=80), st.booleans())
def test_nothing_is_lost_without_being_counted_and_no_bound_is_passed(acts: list[str], has_disk: bool) -> None:
    spool = Spool(50, 80 if has_disk else 0)
    added, delivered = 0, 0
    under_way: deque[int] = deque()
    for act in acts:
        if act == "add":
            spool.add(interval(added))
            added += 1
        elif act == "send" and len(under_way) < 3 and (sequence := spool.next_to_send()) is not None:
            assert not under_way or sequence > under_way[-1], "out of order"
            spool.mark_sent(sequence, 1)
            under_way.append(sequence)
        elif act == "confirm" and under_way:
            delivered += spool.confirm(under_way.popleft(), 0)
        elif act == "reject":
            spool.send_again()
            under_way.clear()
        assert spool.size_bytes <= (80 if has_disk else 50)
        assert added == delivered + spool.dropped + len(spool)
