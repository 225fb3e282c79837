"""Denials are told at once, each once, and stand in the report all the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.node.attempt.columns import DIALLED, REJECTED
from agents.node.report.columns import EVIDENCES
from tests.unit.agents.node.attempt.builders import (
    PATIENCE,
    SECOND,
    START,
    entry_of,
    row_of,
    table_of,
)


def test_a_denial_is_told_once_after_the_patience_and_stands_in_the_report_all_the_same() -> None:
    table = table_of()
    table.note(row_of(1), START)
    sure_ns = table.next_denial_ns()
    assert sure_ns is not None
    assert sure_ns > START + PATIENCE
    assert len(table.take_denials(sure_ns - 1)) == 0
    [told] = table.take_denials(sure_ns)
    assert (told["attempts"], told["started_at_ns"], EVIDENCES[told["evidence"]]) == (1, START, "attempt")
    assert table.next_denial_ns() is None
    assert len(table.take_denials(START + 2 * PATIENCE)) == 0
    [reported] = table.take_report(START + 2 * PATIENCE)
    assert (reported["attempts"], reported["original_bytes"], reported["is_first"]) == (1, 60, True)


def test_of_a_retry_after_a_denial_only_the_new_packets_are_told_each_after_the_patience() -> None:
    table = table_of()
    table.note(row_of(1), START)
    assert table.take_denials(START + 2 * PATIENCE)["attempts"].tolist() == [1]
    again = START + 3 * SECOND
    table.note(np.concatenate([row_of(1, again), row_of(1, again + 1)]), again)
    assert len(table.take_denials(again + PATIENCE - 1)) == 0
    [told] = table.take_denials(again + 2 * PATIENCE)
    assert (told["attempts"], told["started_at_ns"], told["seen_at_ns"]) == (2, again, again + 1)
    assert table.take_report(again + PATIENCE)["attempts"].tolist() == [3]


def test_a_rejection_is_told_without_the_patience() -> None:
    table = table_of()
    table.note(np.concatenate([row_of(1), row_of(1, kind=REJECTED)]), START)
    sure_ns = table.next_denial_ns()
    assert sure_ns is not None
    assert sure_ns < START + PATIENCE
    assert [EVIDENCES[row["evidence"]] for row in table.take_denials(sure_ns)] == ["reject"]


@pytest.mark.parametrize("kind", [DIALLED, REJECTED])
def test_denials_that_began_in_one_tenth_of_a_second_are_told_together(kind: int) -> None:
    table = table_of()
    for port, millisecond in ((1, 0), (2, 99), (3, 100)):
        at_ns = START + millisecond * SECOND // 1000
        table.note(np.concatenate([row_of(port, at_ns), row_of(port, at_ns, kind=kind)]), at_ns)
    sure_ns = table.next_denial_ns()
    assert sure_ns is not None
    assert sorted(table.take_denials(sure_ns)["original_source_port"].tolist()) == [1, 2]
    later_ns = table.next_denial_ns()
    assert later_ns is not None
    assert table.take_denials(later_ns)["original_source_port"].tolist() == [3]


def test_a_confirmed_attempt_is_never_told_and_nothing_is_while_confirmations_may_be_missing() -> None:
    table = table_of()
    table.note(np.concatenate([row_of(1), row_of(2)]), START)
    table.hold()
    assert table.next_denial_ns() is None
    assert len(table.take_denials(START + 5 * SECOND)) == 0
    table.confirm(entry_of(1))
    table.release(START + 5 * SECOND)
    assert table.take_denials(START + 5 * SECOND)["original_source_port"].tolist() == [2]


def test_denials_that_make_room_before_they_were_told_are_counted() -> None:
    table = table_of(capacity=1)
    table.note(row_of(1), START)
    assert len(table.take_report(START + PATIENCE)) == 1
    table.note(row_of(2, START + PATIENCE), START + PATIENCE)
    assert table.untold == 1
    assert table.take_denials(START + 3 * PATIENCE)["original_source_port"].tolist() == [2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.sampled_from([DIALLED, DIALLED, DIALLED, REJECTED]), st.integers(0, 3)),
        max_size=40,
    ),
    st.integers(2, 8),
)
def test_what_is_told_at_once_is_what_the_reports_count(packets: list[tuple[int, int, int]], capacity: int) -> None:
    table = table_of(capacity)
    told = reported = 0
    at_ns = START
    for number, (port, kind, seconds) in enumerate(packets):
        at_ns += seconds * SECOND
        table.note(row_of(port, at_ns, kind=kind, packet=number), at_ns)
        told += int(table.take_denials(at_ns)["attempts"].sum())
        if number % 5 == 4:
            reported += int(table.take_report(at_ns)["attempts"].sum())
    at_ns += 2 * PATIENCE
    told += int(table.take_denials(at_ns)["attempts"].sum())
    reported += int(table.take_report(at_ns)["attempts"].sum())
    assert told + table.untold == reported
