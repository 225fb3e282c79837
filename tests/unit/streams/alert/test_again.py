"""The same after a restart, a replay, or a window that is emitted again: nothing is lost or doubled."""

import pytest

from streams.alert.signal.signal import Emission, Place, SpanSignal
from tests.unit.streams.alert.builders import (
    DATABASE,
    FRONTEND,
    MINUTE,
    SECOND,
    SETTLED,
    change,
    denial,
    failed,
    window,
)
from tests.unit.streams.alert.scenes import AT, CLIENTS, cut, settled


def test_nothing_is_opened_twice_by_a_replay() -> None:
    made = settled()
    cut(made)
    made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED + MINUTE))
    told = len(made.records)
    for signal in list(made.fed):
        made.take(signal)
        made.advance(SETTLED + 3 * MINUTE)
    assert len(made.records) == told
    assert made.engine.counters.replayed == len(made.fed) // 2


def test_a_window_that_is_emitted_again_neither_doubles_nor_reopens() -> None:
    made = settled()
    facts = failed("refused", 6)
    for revision in (1, 2, 3):
        emission = Emission("window-a", revision, 0, SETTLED + MINUTE)
        made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED, emission=emission, **facts))
        made.advance(SETTLED + MINUTE + 5 * revision * SECOND)
    made.advance(SETTLED + 3 * MINUTE)
    assert [(record["status"], record["count"]) for record in made.records] == [("open", 6)]


def test_a_window_that_was_withdrawn_counts_no_more() -> None:
    made = settled()
    emission = Emission("window-a", 1, 0, SETTLED + MINUTE)
    made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED, emission=emission, **failed("refused", 2)))
    made.take(SpanSignal(made.place("windows"), 0, SETTLED + MINUTE, 2))
    later = Emission("window-b", 1, 1, SETTLED + MINUTE)
    made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED, emission=later, **failed("refused", 2)))
    made.advance(SETTLED + 5 * MINUTE)
    assert made.records == []
    made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED, emission=emission, **failed("refused", 9)))
    assert made.engine.counters.superseded == 1


def test_records_of_a_topic_that_was_made_anew_are_no_replay() -> None:
    made = settled()
    made.offsets |= {"windows": 100_000, "denials": 100_000}
    made.window(at=SETTLED)
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED, port=1))
    made.engine.forget_places({("windows", 0), ("changes", 0)})
    made.advance(SETTLED + MINUTE)
    made.restart()
    made.offsets |= {"windows": -1, "denials": -1}
    made.window(at=SETTLED + MINUTE, **failed("denied"))
    made.take(denial(made, FRONTEND, DATABASE, at=SETTLED + MINUTE, port=1))
    made.advance(SETTLED + 3 * MINUTE)
    assert "communication-break" in made.open()
    assert made.engine.counters.replayed == 1  # of the topic that is the same


def test_a_restart_loses_and_doubles_nothing() -> None:
    made = settled()
    made.take(change(made, at=SETTLED))
    cut(made)
    before = dict(made.open())
    made.restart()
    made.advance(AT + 5 * SECOND)
    assert len(made.records) == 1
    (resolved,) = made.take(window(made.place("windows"), FRONTEND, DATABASE, at=SETTLED + MINUTE))
    assert resolved["id"] == before["communication-break"]["id"]
    assert resolved["status"] == "resolved"


@pytest.mark.parametrize("kept", ["waiting", "open"])
def test_a_restarted_engine_tells_what_the_other_would_have(kept: str) -> None:
    tellers = [settled(*CLIENTS[:5]), settled(*CLIENTS[:5])]
    for made in tellers:
        for source in CLIENTS[:5]:
            made.take(denial(made, source, DATABASE, at=AT))
        made.advance(AT + SECOND if kept == "waiting" else AT + 4 * SECOND)
    tellers[1].restart()
    for made in tellers:
        made.advance(AT + 6 * SECOND)
        made.take(window(made.place("windows"), CLIENTS[0], DATABASE, at=SETTLED + MINUTE))
        made.advance(SETTLED + 3 * MINUTE)
        made.advance(SETTLED + 20 * MINUTE)
    assert tellers[0].records == tellers[1].records
    assert tellers[0].records[-1]["status"] == "resolved"


def test_a_store_of_another_version_begins_anew_and_is_counted() -> None:
    made = settled()
    made.store = dict.fromkeys(made.store, b"\xc1")
    made.restart()
    assert made.engine.counters.unreadable >= 3
    made.window()
    assert made.records == []


def test_each_partition_has_its_own_offsets() -> None:
    """All that is outside is one edge, which hears of several partitions."""
    made = settled()
    signals = [window(Place("windows", partition, 0), FRONTEND, DATABASE, at=SETTLED) for partition in (3, 4, 3, 4)]
    made.take(*signals)
    assert made.engine.counters.replayed == 2
