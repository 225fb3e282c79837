import numpy as np

from streams.exchange.ledger import Ledger
from tests.support.parts import SECOND, bare_part, batch

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
    held.add(bare_part(batch("node1", 3, 30, 40), 0), 40 * SECOND)
    assert held.is_late(bare_part(batch("node2", 0, 0, 10), 1), 41 * SECOND)
    assert not held.is_late(bare_part(batch("node2", 3, 30, 40), 1), 41 * SECOND)


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
