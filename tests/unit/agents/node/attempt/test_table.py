"""Denied is what nothing confirmed in time, and never a connection that came to be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.node.attempt.columns import ATTEMPT, DIALLED, REJECTED, TRANSLATED, Attempts
from agents.node.attempt.table import AttemptTable
from agents.node.report.columns import EVIDENCES, REPORT, Reports

_SECOND = 10**9
_PATIENCE = _SECOND
_START = 1_800_000_000 * _SECOND
_TCP, _UDP = 6, 17


def _row(port: int, at_ns: int = _START, *, protocol: int = _TCP, kind: int = DIALLED, packet: int = 0) -> Attempts:
    row = np.zeros(1, ATTEMPT)
    row["family"], row["protocol"], row["kind"] = 2, protocol, kind
    row["original_source_low"] = row["reply_destination_low"] = 0xFFFF_0A00_0001
    row["original_destination_low"] = row["reply_source_low"] = 0xFFFF_0A00_0002
    row["original_source_port"] = row["reply_destination_port"] = port
    row["original_destination_port"] = row["reply_source_port"] = 80
    row["packet"], row["ip_bytes"], row["seen_at_ns"] = packet, 60, at_ns
    return row


def _translated(port: int, packet: int, backend_port: int = 8080) -> Attempts:
    row = _row(port, kind=TRANSLATED, packet=packet)
    row["original_destination_low"] = row["original_destination_port"] = 0
    row["reply_source_low"], row["reply_source_port"] = 0xFFFF_0A00_0009, backend_port
    return row


def _entry(port: int, protocol: int = _TCP, zone: int = 0) -> Reports:
    entry = np.zeros(1, REPORT)
    row = _row(port, protocol=protocol)
    for name in set(ATTEMPT.names or ()) & set(REPORT.names or ()):
        entry[name] = row[name] if name != "seen_at_ns" else 0
    entry["zone"] = zone
    return entry


def _table(capacity: int = 100) -> AttemptTable:
    return AttemptTable(1, _PATIENCE, capacity)


def test_an_attempt_waits_for_the_patience_and_is_then_denied() -> None:
    table = _table()
    table.note(_row(1), _START)
    assert len(table.take_report(_START + _PATIENCE - 1)) == 0
    [row] = table.take_report(_START + _PATIENCE)
    assert (row["attempts"], row["original_packets"], row["original_bytes"]) == (1, 1, 60)
    assert (row["is_first"], row["is_final"], row["started_at_ns"], row["ended_at_ns"]) == (True, False, _START, 0)
    assert EVIDENCES[row["evidence"]] == "attempt"
    assert len(table.take_report(_START + 2 * _PATIENCE)) == 0


def test_a_confirmed_attempt_is_not_denied_whichever_is_read_first() -> None:
    for is_event_first in (True, False):
        table = _table()
        if is_event_first:
            table.confirm(_entry(1, zone=5))
        table.note(_row(1), _START)
        if not is_event_first:
            table.confirm(_entry(1, zone=5))
        assert len(table.take_report(_START + 10 * _SECOND)) == 0
        assert len(table) == 0


def test_a_confirmation_read_long_before_a_stalled_agent_reads_the_line_still_counts() -> None:
    table = _table()
    table.note(_row(9), _START)
    table.confirm(_entry(1))
    table.note(_row(1), _START + 30 * _SECOND)
    assert table.take_report(_START + 60 * _SECOND)["original_source_port"].tolist() == [9]


def test_the_memory_of_confirmations_fades() -> None:
    table = _table()
    table.confirm(_entry(1))
    for second in range(0, 30, 3):
        table.note(_row(9, protocol=_UDP), _START + second * _SECOND)
    table.note(_row(1), _START + 40 * _SECOND)
    assert 1 in table.take_report(_START + 60 * _SECOND)["original_source_port"]


def test_retries_over_intervals_are_one_connection_started_once() -> None:
    table = _table()
    reports = []
    for second in (0, 1, 3, 7, 15, 31, 63):
        at_ns = _START + second * _SECOND
        table.note(_row(1, at_ns), at_ns)
        reports.append(table.take_report(at_ns + _PATIENCE))
    reports.append(table.take_report(_START + 200 * _SECOND))
    rows = np.concatenate(reports)
    assert len(set(rows["connection_id"].tolist())) == 1
    assert rows["is_first"].tolist() == [True] + [False] * 7
    assert rows["is_final"].tolist() == [False] * 7 + [True]
    assert rows["attempts"].tolist() == [1] * 7 + [0]
    assert len(table) == 0


def test_a_rejected_or_datagram_attempt_is_final_at_once_and_only_once() -> None:
    table = _table()
    table.note(np.concatenate([_row(1), _row(1, kind=REJECTED), _row(2, protocol=_UDP)]), _START)
    rows = table.take_report(_START + _PATIENCE)
    assert sorted((EVIDENCES[row["evidence"]], bool(row["is_final"])) for row in rows) == [
        ("attempt", True),
        ("reject", True),
    ]
    again_ns = _START + 5 * _SECOND
    table.note(_row(2, again_ns, protocol=_UDP), again_ns)
    [again] = table.take_report(again_ns + _PATIENCE)
    assert (again["is_first"], again["is_final"]) == (False, False)
    assert again["connection_id"] in rows["connection_id"]
    assert len(table.take_report(again_ns + 100 * _SECOND)) == 0


def test_a_port_tried_again_after_a_reset_is_another_attempt_than_the_one_that_was_told() -> None:
    table = _table()
    table.note(np.concatenate([_row(1), _row(1, kind=REJECTED)]), _START)
    [first] = table.take_report(_START + _PATIENCE)
    later = _START + 20 * _SECOND
    table.note(np.concatenate([_row(1, later), _row(1, later, kind=REJECTED)]), later)
    [second] = table.take_report(later + _PATIENCE)
    for row in (first, second):
        assert (row["is_first"], row["is_final"], row["attempts"]) == (True, True, 1)
    assert first["connection_id"] != second["connection_id"]
    assert second["started_at_ns"] == later


def test_a_port_tried_again_after_a_reset_is_another_attempt_before_the_first_was_told() -> None:
    table = _table()
    again_ns = _START + _PATIENCE // 2
    table.note(np.concatenate([_row(1, packet=7), _row(1, kind=REJECTED)]), _START)
    table.note(np.concatenate([_row(1, again_ns, packet=8), _row(1, again_ns, kind=REJECTED)]), again_ns)
    rows = table.take_report(again_ns + _PATIENCE)
    assert sorted(rows["started_at_ns"].tolist()) == [_START, again_ns]
    assert len(set(rows["connection_id"].tolist())) == 2
    for row in rows:
        assert (row["is_first"], row["is_final"], row["attempts"]) == (True, True, 1)
    assert len(table.take_report(again_ns + 100 * _SECOND)) == 0


def test_an_attempt_that_another_of_its_port_followed_still_waits_for_its_confirmation() -> None:
    table = _table()
    table.note(np.concatenate([_row(1, packet=7), _row(1, kind=REJECTED)]), _START)
    table.note(_row(1, _START + 1, packet=8), _START + 1)
    table.confirm(_entry(1))
    assert len(table.take_report(_START + 100 * _SECOND)) == 0
    assert len(table) == 0


def test_a_retransmit_after_a_rejection_that_was_not_heeded_is_the_same_attempt() -> None:
    table = _table()
    again_ns = _START + _PATIENCE // 2
    table.note(np.concatenate([_row(1, packet=7), _row(1, kind=REJECTED)]), _START)
    table.note(_row(1, again_ns, packet=7), again_ns)
    [row] = table.take_report(again_ns + _PATIENCE)
    assert (row["attempts"], row["started_at_ns"]) == (2, _START)


def test_a_translated_line_gives_the_real_destination_in_the_same_batch_or_the_next() -> None:
    for is_same_batch in (True, False):
        table = _table()
        lines = [_row(1, packet=5), _translated(1, 5)]
        if is_same_batch:
            table.note(np.concatenate(lines), _START)
        else:
            for line in lines:
                table.note(line, _START)
        [row] = table.take_report(_START + _PATIENCE)
        assert (row["original_destination_port"], row["reply_source_port"]) == (80, 8080)


def test_two_packets_of_one_source_that_look_alike_keep_their_own_destinations() -> None:
    table = _table()
    other = _row(1, protocol=_UDP)
    other["original_destination_port"] = other["reply_source_port"] = 81
    first, second = _translated(1, 0, 8080), _translated(1, 0, 8081)
    first["protocol"] = second["protocol"] = _UDP
    table.note(np.concatenate([_row(1, protocol=_UDP), first, other, second]), _START)
    rows = table.take_report(_START + _PATIENCE)
    found = sorted(zip(rows["original_destination_port"].tolist(), rows["reply_source_port"].tolist(), strict=True))
    assert found == [(80, 8080), (81, 8081)]


def test_an_attempt_that_succeeds_at_a_retry_is_closed_without_more_figures() -> None:
    table = _table()
    table.note(_row(1), _START)
    [denied] = table.take_report(_START + _PATIENCE)
    table.note(_row(1, _START + 3 * _SECOND), _START + 3 * _SECOND)
    table.confirm(_entry(1))
    [closed] = table.take_report(_START + 5 * _SECOND)
    assert closed["connection_id"] == denied["connection_id"]
    assert (closed["attempts"], closed["is_final"], closed["is_first"]) == (0, True, False)
    assert len(table.take_report(_START + 300 * _SECOND)) == 0


def test_nothing_is_denied_while_confirmations_may_be_missing() -> None:
    table = _table()
    table.note(np.concatenate([_row(1), _row(2)]), _START)
    table.hold()
    assert len(table.take_report(_START + 5 * _SECOND)) == 0
    table.confirm(_entry(1))
    table.release(_START + 5 * _SECOND)
    assert table.take_report(_START + 5 * _SECOND)["original_source_port"].tolist() == [2]
    assert table.undetermined == 0


def test_an_attempt_too_old_for_the_dump_is_undetermined() -> None:
    table = _table()
    table.note(_row(1), _START)
    table.release(_START + 60 * _SECOND)
    assert table.undetermined == 0
    table.hold()
    table.release(_START + 60 * _SECOND)
    assert len(table.take_report(_START + 60 * _SECOND)) == 0
    assert table.undetermined == 1


def test_a_flush_finishes_what_is_known_and_drops_what_is_too_young() -> None:
    table = _table()
    table.note(_row(1), _START)
    table.note(_row(2, _START + 2 * _SECOND), _START + 2 * _SECOND)
    rows = table.take_report(_START + 2 * _SECOND, flush=True)
    assert (rows["original_source_port"].tolist(), rows["is_final"].tolist()) == ([1], [True])
    assert (table.undetermined, len(table)) == (1, 0)


def test_a_flush_while_held_says_nothing() -> None:
    table = _table()
    table.note(_row(1), _START)
    table.hold()
    assert len(table.take_report(_START + 20 * _SECOND, flush=True)) == 0
    assert table.undetermined == 1


def test_a_scan_is_bounded_and_what_found_no_room_is_counted() -> None:
    table = _table(capacity=10)
    table.note(np.concatenate([_row(port) for port in range(1, 31)]), _START)
    assert len(table) == 10
    assert table.overflowed == 20
    assert len(table.take_report(_START + _PATIENCE)) == 10
    table.note(np.concatenate([_row(port, _START + 5 * _SECOND) for port in range(101, 106)]), _START + 5 * _SECOND)
    assert len(table) == 10
    assert table.overflowed == 20
    rows = table.take_report(_START + 10 * _SECOND)
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
    table = _table(capacity=4)
    now_ns, tried, reported, confirmed = _START, 0, [], 0
    for step, value in steps:
        now_ns += _SECOND // 10
        if step in ("try", "reject"):
            tried += step == "try"
            kind = DIALLED if step == "try" else REJECTED
            table.note(_row(value, now_ns, kind=kind, packet=tried), now_ns)
        elif step == "confirm":
            confirmed += 1
            table.confirm(_entry(value))
        elif step == "report":
            now_ns += value * _SECOND
            reported.append(table.take_report(now_ns))
        elif step == "hold":
            table.hold()
        else:
            table.release(now_ns)
    reported.append(table.take_report(now_ns + 5 * _SECOND, flush=True))
    rows = np.concatenate(reported)
    counted = int(rows["attempts"].sum()) + table.overflowed + table.undetermined
    assert counted <= tried
    if not confirmed:
        assert counted == tried
    for identity in set(rows["connection_id"].tolist()):
        own = rows[rows["connection_id"] == identity]
        assert own["is_first"].tolist() == [True] + [False] * (len(own) - 1)
        assert own["is_final"].tolist() == [False] * (len(own) - 1) + [True]
