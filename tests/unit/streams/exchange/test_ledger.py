import numpy as np

from streams.exchange.ledger import Ledger
from tests.support.parts import SECOND, bare_part, batch, part
from tests.unit.streams.exchange.builders import asked

GRACE = 5


def ledger() -> Ledger:
    return Ledger(GRACE * SECOND, first_offset=100)


def test_a_part_waits_for_the_grace_of_event_time() -> None:
    held = ledger()
    early, late = bare_part(batch("node1", 0, 0, 10), 0), bare_part(batch("node2", 1, 5, 14), 1)
    held.add(early, 10 * SECOND)
    held.add(late, 14 * SECOND)
    assert held.due(14 * SECOND) == []
    held.add(bare_part(batch("node1", 1, 10, 15), 2), 15 * SECOND)
    assert held.due(15 * SECOND) == [early]


def test_a_node_that_is_late_is_waited_for_longer_than_the_grace() -> None:
    """A crowded node reports some graces later; what the other one saw too must not be counted without it."""
    held = ledger()
    for node, sequence in (("node1", 0), ("node2", 0)):
        held.add(bare_part(batch(node, sequence, 0, 10), sequence), 10 * SECOND)
    held.drop(held.due(20 * SECOND))
    echo = bare_part(batch("node2", 1, 10, 20), 2)
    held.add(echo, 20 * SECOND)
    held.add(bare_part(batch("node2", 2, 20, 30), 3), 30 * SECOND)
    assert held.due(30 * SECOND) == []
    late = bare_part(batch("node1", 1, 10, 20), 4)
    assert not held.is_late(late)
    held.add(late, 33 * SECOND)
    assert held.due(33 * SECOND) == [echo]


def test_what_was_seen_after_the_interval_is_waited_for_too() -> None:
    """A crowded agent closes its interval late, with what it has seen by then; the other reports it in its next."""
    held = ledger()
    row = asked("10.0.1.7", "10.0.2.8", first_seen_at_ns=11 * SECOND, last_seen_at_ns=11 * SECOND)
    echo = part(batch("node2", 0, 0, 10), [row], schema="dns_exchange")
    held.add(echo, 12 * SECOND)
    held.add(bare_part(batch("node1", 0, 0, 10), 1), 12 * SECOND)
    held.add(bare_part(batch("node2", 1, 10, 20), 2), 20 * SECOND)
    assert echo not in held.due(20 * SECOND)
    held.add(bare_part(batch("node1", 1, 10, 20), 3), 21 * SECOND)
    assert echo in held.due(21 * SECOND)


def test_a_node_that_has_gone_is_waited_for_once() -> None:
    held = ledger()
    for node in ("node1", "node2"):
        held.add(bare_part(batch(node, 0, 0, 10), 0), 10 * SECOND)
    held.drop(held.due(20 * SECOND))
    parts = [bare_part(batch("node2", n, 10 * n, 10 * n + 10), n) for n in (1, 2, 3, 4)]
    for one in parts:
        held.add(one, one.batch.interval_end_ns)
    assert held.due(39 * SECOND) == []
    assert held.due(50 * SECOND) == parts[:2]
    held.drop(parts[:1])
    assert held.due(50 * SECOND) == parts[1:3]
    # When it is back it is waited for again, and what it has to tell of the time without it is late.
    back = bare_part(batch("node1", 1, 10, 45), 5)
    assert held.is_late(back)
    held.add(back, 50 * SECOND)
    held.add(bare_part(batch("node2", 5, 50, 60), 6), 60 * SECOND)
    assert held.due(60 * SECOND) == [*parts[1:3], back]
    assert held.due(70 * SECOND) == [*parts[1:3], back, parts[3]]


def test_the_clock_moves_event_time_when_nobody_reports_any_more() -> None:
    held = ledger()
    only = bare_part(batch("node1", 0, 0, 10), 0)
    held.add(only, 11 * SECOND)
    assert held.due(20 * SECOND) == []
    assert held.due(21 * SECOND) == [only]


def test_a_backlog_is_not_emitted_before_what_follows_in_it() -> None:
    held = ledger()
    held.add(bare_part(batch("node1", 0, 0, 10), 0), 5000 * SECOND)
    assert held.due(5001 * SECOND) == []


def test_what_nodes_kept_while_kafka_was_away_waits_for_what_the_others_kept() -> None:
    held = ledger()
    for sequence in range(60):
        held.add(bare_part(batch("node1", sequence, 10 * sequence, 10 * sequence + 10), sequence), 600 * SECOND)
    assert held.due(604 * SECOND) == []
    assert len(held.due(605 * SECOND)) == 59


def test_a_node_whose_clock_is_ahead_does_not_close_the_time_of_others() -> None:
    held = ledger()
    held.add(bare_part(batch("node1", 0, 0, 10), 0), 10 * SECOND)
    held.add(bare_part(batch("ahead", 0, 1000, 1010), 1), 10 * SECOND)
    assert [part.batch.node for part in held.due(15 * SECOND)] == ["node1"]
    assert [part.batch.node for part in held.due(10_000 * SECOND)] == ["node1", "ahead"]


def test_the_same_part_is_held_once_and_the_first_offset_stays() -> None:
    held = ledger()
    assert held.add(bare_part(batch(), 7), 0)
    assert not held.add(bare_part(batch(), 8), 0)
    assert list(held.offsets()) == [7]


def test_reports_from_before_are_asked_for_once() -> None:
    held = ledger()
    part = bare_part(batch("node2", 0, 1000, 1010), 100)
    missing_from = held.missing_from(part)
    assert missing_from is not None
    assert missing_from <= 1000 * SECOND
    held.note_earlier(missing_from, [batch("node1", 0, 1000, 1010)])
    assert held.missing_from(part) is None
    assert held.missing_from(bare_part(batch("node2", 0, 990, 1000), 101)) is None
    assert held.missing_from(bare_part(batch("node2", 0, 0, 10), 102)) is not None


def test_a_part_whose_time_was_emitted_is_late() -> None:
    held = ledger()
    for sequence in (0, 1):
        held.add(bare_part(batch("node1", sequence, 10 * sequence, 10 * sequence + 10), sequence), 20 * SECOND)
    assert not held.is_late(bare_part(batch("node2", 0, 0, 10), 2))
    held.drop(held.due(25 * SECOND))
    assert held.is_late(bare_part(batch("node2", 0, 0, 10), 2))
    assert not held.is_late(bare_part(batch("node2", 1, 10, 20), 2))
    slept = batch("node2", 4, 20, 30, lost={"intervals_missed": 2})
    assert held.is_late(bare_part(slept, 3))
    again = bare_part(batch("node1", 0, 0, 10), 3)
    assert not held.is_late(again)


def test_what_was_emitted_is_no_longer_held_and_old_reports_are_forgotten() -> None:
    held = ledger()
    part = bare_part(batch("node1", 0, 0, 10), 0)
    held.note_earlier(0, ())
    held.add(part, 10 * SECOND)
    day = 24 * 3600
    newest = bare_part(batch("node2", 0, day, day + 10), 1)
    held.add(newest, (day + 10) * SECOND)
    held.drop(held.due((day + 10) * SECOND))
    assert list(held.offsets()) == [1]
    assert held.missing_from(part) is None
    assert held.missing_from(bare_part(batch("node1", 1, day - 3600, day - 3590), 2)) is None
    assert held.reports.touch("node1", np.array([0]), np.array([SECOND])).tolist() == [False]
