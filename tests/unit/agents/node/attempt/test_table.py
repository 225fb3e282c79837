"""Denied is what nothing confirmed in time, and never a connection that came to be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.node.attempt.columns import DIALLED, REJECTED
from agents.node.report.columns import EVIDENCES
from tests.unit.agents.node.attempt.builders import (
    PATIENCE,
    SECOND,
    START,
    UDP,
    entry_of,
    row_of,
    table_of,
    translated_row_of,
)


def test_an_attempt_waits_for_the_patience_and_is_then_denied() -> None:
    table = table_of()
    table.note(row_of(1), START)
    assert len(table.take_report(START + PATIENCE - 1)) == 0
    [row] = table.take_report(START + PATIENCE)
    assert (row["attempts"], row["original_packets"], row["original_bytes"]) == (1, 1, 60)
    assert (row["is_first"], row["is_final"], row["started_at_ns"], row["ended_at_ns"]) == (True, False, START, 0)
    assert EVIDENCES[row["evidence"]] == "attempt"
    assert len(table.take_report(START + 2 * PATIENCE)) == 0


def test_a_confirmed_attempt_is_not_denied_whichever_is_read_first() -> None:
    for is_event_first in (True, False):
        table = table_of()
        if is_event_first:
            table.confirm(entry_of(1, zone=5))
        table.note(row_of(1), START)
        if not is_event_first:
            table.confirm(entry_of(1, zone=5))
        assert len(table.take_report(START + 10 * SECOND)) == 0
        assert len(table) == 0


def test_a_confirmation_read_long_before_a_stalled_agent_reads_the_line_still_counts() -> None:
    table = table_of()
    table.note(row_of(9), START)
    table.confirm(entry_of(1))
    table.note(row_of(1), START + 30 * SECOND)
    assert table.take_report(START + 60 * SECOND)["original_source_port"].tolist() == [9]


def test_the_memory_of_confirmations_fades() -> None:
    table = table_of()
    table.confirm(entry_of(1))
    for second in range(0, 30, 3):
        table.note(row_of(9, protocol=UDP), START + second * SECOND)
    table.note(row_of(1), START + 40 * SECOND)
    assert 1 in table.take_report(START + 60 * SECOND)["original_source_port"]


def test_retries_over_intervals_are_one_connection_started_once() -> None:
    table = table_of()
    reports = []
    for second in (0, 1, 3, 7, 15, 31, 63):
        at_ns = START + second * SECOND
        table.note(row_of(1, at_ns), at_ns)
        reports.append(table.take_report(at_ns + PATIENCE))
    reports.append(table.take_report(START + 200 * SECOND))
    rows = np.concatenate(reports)
    assert len(set(rows["connection_id"].tolist())) == 1
    assert rows["is_first"].tolist() == [True] + [False] * 7
    assert rows["is_final"].tolist() == [False] * 7 + [True]
    assert rows["attempts"].tolist() == [1] * 7 + [0]
    assert len(table) == 0


def test_a_rejected_or_datagram_attempt_is_final_at_once_and_only_once() -> None:
    table = table_of()
    table.note(np.concatenate([row_of(1), row_of(1, kind=REJECTED), row_of(2, protocol=UDP)]), START)
    rows = table.take_report(START + PATIENCE)
    assert sorted((EVIDENCES[row["evidence"]], bool(row["is_final"])) for row in rows) == [
        ("attempt", True),
        ("reject", True),
    ]
    again_ns = START + 5 * SECOND
    table.note(row_of(2, again_ns, protocol=UDP), again_ns)
    [again] = table.take_report(again_ns + PATIENCE)
    assert (again["is_first"], again["is_final"]) == (False, False)
    assert again["connection_id"] in rows["connection_id"]
    assert len(table.take_report(again_ns + 100 * SECOND)) == 0


def test_a_port_tried_again_after_a_reset_is_another_attempt_than_the_one_that_was_told() -> None:
    table = table_of()
    table.note(np.concatenate([row_of(1), row_of(1, kind=REJECTED)]), START)
    [first] = table.take_report(START + PATIENCE)
    later = START + 20 * SECOND
    table.note(np.concatenate([row_of(1, later), row_of(1, later, kind=REJECTED)]), later)
    [second] = table.take_report(later + PATIENCE)
    for row in (first, second):
        assert (row["is_first"], row["is_final"], row["attempts"]) == (True, True, 1)
    assert first["connection_id"] != second["connection_id"]
    assert second["started_at_ns"] == later


def test_a_port_tried_again_after_a_reset_is_another_attempt_before_the_first_was_told() -> None:
    table = table_of()
    again_ns = START + PATIENCE // 2
    table.note(np.concatenate([row_of(1, packet=7), row_of(1, kind=REJECTED)]), START)
    table.note(np.concatenate([row_of(1, again_ns, packet=8), row_of(1, again_ns, kind=REJECTED)]), again_ns)
    rows = table.take_report(again_ns + PATIENCE)
    assert sorted(rows["started_at_ns"].tolist()) == [START, again_ns]
    assert len(set(rows["connection_id"].tolist())) == 2
    for row in rows:
        assert (row["is_first"], row["is_final"], row["attempts"]) == (True, True, 1)
    assert len(table.take_report(again_ns + 100 * SECOND)) == 0


def test_an_attempt_that_another_of_its_port_followed_still_waits_for_its_confirmation() -> None:
    table = table_of()
    table.note(np.concatenate([row_of(1, packet=7), row_of(1, kind=REJECTED)]), START)
    table.note(row_of(1, START + 1, packet=8), START + 1)
    table.confirm(entry_of(1))
    assert len(table.take_report(START + 100 * SECOND)) == 0
    assert len(table) == 0


def test_a_retransmit_after_a_rejection_that_was_not_heeded_is_the_same_attempt() -> None:
    table = table_of()
    again_ns = START + PATIENCE // 2
    table.note(np.concatenate([row_of(1, packet=7), row_of(1, kind=REJECTED)]), START)
    table.note(row_of(1, again_ns, packet=7), again_ns)
    [row] = table.take_report(again_ns + PATIENCE)
    assert (row["attempts"], row["started_at_ns"]) == (2, START)


def test_a_translated_line_gives_the_real_destination_in_the_same_batch_or_the_next() -> None:
    for is_same_batch in (True, False):
        table = table_of()
        lines = [row_of(1, packet=5), translated_row_of(1, 5)]
        if is_same_batch:
            table.note(np.concatenate(lines), START)
        else:
            for line in lines:
                table.note(line, START)
        [row] = table.take_report(START + PATIENCE)
        assert (row["original_destination_port"], row["reply_source_port"]) == (80, 8080)


def test_two_packets_of_one_source_that_look_alike_keep_their_own_destinations() -> None:
    table = table_of()
    other = row_of(1, protocol=UDP)
    other["original_destination_port"] = other["reply_source_port"] = 81
    first, second = translated_row_of(1, 0, 8080), translated_row_of(1, 0, 8081)
    first["protocol"] = second["protocol"] = UDP
    table.note(np.concatenate([row_of(1, protocol=UDP), first, other, second]), START)
    rows = table.take_report(START + PATIENCE)
    found = sorted(zip(rows["original_destination_port"].tolist(), rows["reply_source_port"].tolist(), strict=True))
    assert found == [(80, 8080), (81, 8081)]


def test_an_attempt_that_succeeds_at_a_retry_is_closed_without_more_figures() -> None:
    table = table_of()
    table.note(row_of(1), START)
    [denied] = table.take_report(START + PATIENCE)
    table.note(row_of(1, START + 3 * SECOND), START + 3 * SECOND)
    table.confirm(entry_of(1))
    [closed] = table.take_report(START + 5 * SECOND)
    assert closed["connection_id"] == denied["connection_id"]
    assert (closed["attempts"], closed["is_final"], closed["is_first"]) == (0, True, False)
    assert len(table.take_report(START + 300 * SECOND)) == 0


def test_nothing_is_denied_while_confirmations_may_be_missing() -> None:
    table = table_of()
    table.note(np.concatenate([row_of(1), row_of(2)]), START)
    table.hold()
    assert len(table.take_report(START + 5 * SECOND)) == 0
    table.confirm(entry_of(1))
    table.release(START + 5 * SECOND)
    assert table.take_report(START + 5 * SECOND)["original_source_port"].tolist() == [2]
    assert table.undetermined == 0


def test_an_attempt_too_old_for_the_dump_is_undetermined() -> None:
    table = table_of()
    table.note(row_of(1), START)
    table.release(START + 60 * SECOND)
    assert table.undetermined == 0
    table.hold()
    table.release(START + 60 * SECOND)
    assert len(table.take_report(START + 60 * SECOND)) == 0
    assert table.undetermined == 1


def test_a_flush_finishes_what_is_known_and_drops_what_is_too_young() -> None:
    table = table_of()
    table.note(row_of(1), START)
    table.note(row_of(2, START + 2 * SECOND), START + 2 * SECOND)
    rows = table.take_report(START + 2 * SECOND, flush=True)
    assert (rows["original_source_port"].tolist(), rows["is_final"].tolist()) == ([1], [True])
    assert (table.undetermined, len(table)) == (1, 0)


def test_a_flush_tells_of_a_rejection_however_young_that_is_sure() -> None:
    table = table_of()
    table.note(np.concatenate([row_of(1), row_of(1, kind=REJECTED), row_of(2)]), START)
    now_ns = START + PATIENCE // 2
    told = table.take_denials(now_ns)
    [row] = table.take_report(now_ns, flush=True)
    assert told["original_source_port"].tolist() == [1]
    assert (row["original_source_port"], row["attempts"], EVIDENCES[row["evidence"]]) == (1, 1, "reject")
    assert (table.undetermined, len(table)) == (1, 0)


def test_a_flush_while_held_says_nothing() -> None:
    table = table_of()
    table.note(row_of(1), START)
    table.hold()
    assert len(table.take_report(START + 20 * SECOND, flush=True)) == 0
    assert table.undetermined == 1


def test_a_scan_is_bounded_and_what_found_no_room_is_counted() -> None:
    table = table_of(capacity=10)
    table.note(np.concatenate([row_of(port) for port in range(1, 31)]), START)
    assert len(table) == 10
    assert table.overflowed == 20
    assert len(table.take_report(START + PATIENCE)) == 10
    table.note(np.concatenate([row_of(port, START + 5 * SECOND) for port in range(101, 106)]), START + 5 * SECOND)
    assert len(table) == 10
    assert table.overflowed == 20
    rows = table.take_report(START + 10 * SECOND)
    assert (rows["is_first"].sum(), rows["is_final"].sum()) == (5, 5)


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("try"), st.integers(1, 6)),
            st.tuples(st.just("reject"), st.integers(1, 6)),
            st.tuples(st.just("confirm"), st.integers(1, 6)),
            st.tuples(st.just("report"), st.integers(0, 90)),
            st.tuples(st.just("hold"), st.just(0)),
            st.tuples(st.just("release"), st.just(0)),
        ),
        max_size=40,
    )
)
def test_every_packet_is_reported_once_or_accounted_for(steps: list[tuple[str, int]]) -> None:
    table = table_of(capacity=4)
    now_ns, tried, reported, confirmed = START, 0, [], 0
    for step, value in steps:
        now_ns += SECOND // 10
        if step in ("try", "reject"):
            tried += step == "try"
            kind = DIALLED if step == "try" else REJECTED
            table.note(row_of(value, now_ns, kind=kind, packet=tried), now_ns)
        elif step == "confirm":
            confirmed += 1
            table.confirm(entry_of(value))
        elif step == "report":
            now_ns += value * SECOND
            reported.append(table.take_report(now_ns))
        elif step == "hold":
            table.hold()
        else:
            table.release(now_ns)
    reported.append(table.take_report(now_ns + 5 * SECOND, flush=True))
    rows = np.concatenate(reported)
    counted = int(rows["attempts"].sum()) + table.overflowed + table.undetermined
    assert counted <= tried
    if not confirmed:
        assert counted == tried
    for identity in set(rows["connection_id"].tolist()):
        own = rows[rows["connection_id"] == identity]
        assert own["is_first"].tolist() == [True] + [False] * (len(own) - 1)
        assert own["is_final"].tolist() == [False] * (len(own) - 1) + [True]
