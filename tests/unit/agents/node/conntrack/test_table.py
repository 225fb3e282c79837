import numpy as np
import pytest

from agents.node.conntrack.table import ConnectionTable
from agents.node.report.columns import END_REASONS
from tests.unit.agents.node.conntrack.kernel import (
    CLOSE,
    ESTABLISHED,
    SECOND,
    SYN_SENT,
    TIME_WAIT,
    Connection,
    Kernel,
    begun,
    entries,
    shown,
    summary,
)


def test_a_connection_that_began_and_ended_between_two_dumps_is_one_whole_row() -> None:
    kernel = Kernel()
    kernel.dump()
    kernel.open(1)
    kernel.send(1, 4)
    kernel.end(1)
    kernel.dump()
    kernel.report()
    (row,) = kernel.rows()
    assert summary([row]) == [(460, True, True)]
    assert END_REASONS[row["end_reason"]] == "closed"
    assert row["ended_at_ns"] == kernel.now


def test_what_old_connections_carried_before_the_first_look_is_not_reported() -> None:
    table = ConnectionTable(1, 10)
    table.apply_dump(shown(size=5000, start=SECOND), 10 * SECOND)
    assert summary(table.take_report(10 * SECOND)) == [(0, True, False)]
    table.apply_dump(shown(size=5070, start=SECOND), 20 * SECOND)
    assert summary(table.take_report(20 * SECOND)) == [(70, False, False)]


def test_an_old_connection_that_ends_in_the_first_interval_tells_only_what_it_carried_since_the_first_look() -> None:
    kernel = Kernel(old=1)
    kernel.dump()
    kernel.send(0, 3)
    kernel.end(0)
    kernel.dump()
    kernel.report()
    assert summary(kernel.rows()) == [(300, True, True)]


@pytest.mark.parametrize("start", [0, SECOND])
def test_an_old_connection_that_ends_before_the_first_look_has_carried_nothing(start: int) -> None:
    table = ConnectionTable(1, 10)
    table.apply_destroyed(shown(size=10**9, start=start), 10 * SECOND)
    table.apply_dump(entries(), 11 * SECOND)
    assert summary(table.take_report(12 * SECOND)) == [(0, True, True)]


def test_without_times_a_connection_that_was_heard_to_begin_counts_from_zero_at_the_first_look() -> None:
    table = ConnectionTable(1, 10)
    table.apply_new(shown(1, start=0), 5 * SECOND)
    table.apply_dump(entries(shown(1, start=0), shown(2, start=0)), 6 * SECOND)
    rows = table.take_report(7 * SECOND)
    by_port = {int(row["original_source_port"]): row for row in rows}
    assert by_port[1001]["original_bytes"] == 100
    assert by_port[1001]["started_at_ns"] == 5 * SECOND
    assert by_port[1002]["original_bytes"] == 0


def test_after_the_clock_was_set_back_new_connections_still_count_from_zero() -> None:
    table = ConnectionTable(1, 10)
    table.apply_dump(entries(), 5000 * SECOND)
    table.apply_dump(shown(start=1000 * SECOND - 1), 1000 * SECOND)
    assert summary(table.take_report(1001 * SECOND)) == [(100, True, False)]


def test_a_connection_without_change_gives_no_row() -> None:
    table = begun()
    for number in range(3):
        table.apply_dump(shown(), (3 + number) * SECOND)
        assert len(table.take_report((3 + number) * SECOND)) == (number == 0)


def test_a_closed_connection_that_lingers_is_final_once_and_keeps_counting() -> None:
    kernel = Kernel()
    kernel.dump()
    kernel.open(1)
    for turn in range(3):
        kernel.linger(1)
        kernel.dump()
        kernel.report()
        kernel.send(1, turn == 0)
    kernel.end(1)
    kernel.dump()
    kernel.report()
    rows = kernel.rows()
    assert summary(rows) == [(60, True, True), (100, False, False)]
    assert [END_REASONS[reason] for reason in rows["end_reason"]] == ["closed", "closed"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tcp_state": CLOSE, "timeout": 9}, "reset"),
        ({"tcp_state": SYN_SENT, "status": 0, "timeout": 119, "reply_packets": 1}, "reset"),
        ({"tcp_state": SYN_SENT, "status": 0, "timeout": 119, "has_counters": 0}, "reset"),
        ({"tcp_state": SYN_SENT, "status": 0, "timeout": 0}, "timeout"),
        ({"tcp_state": SYN_SENT, "status": 0, "timeout": 119}, "evicted"),
        ({"tcp_state": TIME_WAIT}, "closed"),
        ({"tcp_state": TIME_WAIT, "timeout": 60}, "closed"),
        ({"tcp_state": ESTABLISHED, "timeout": 400_000}, "evicted"),
        ({"tcp_state": ESTABLISHED, "timeout": 0}, "timeout"),
        ({"protocol": 17, "tcp_state": 0, "timeout": 20}, "evicted"),
        ({"protocol": 17, "tcp_state": 0, "timeout": 0}, "timeout"),
        ({"protocol": 58, "tcp_state": 0, "timeout": 0}, "timeout"),
    ],
)
def test_the_reason_of_an_end_is_read_from_its_state_and_the_time_that_was_left(
    changes: dict[str, int], reason: str
) -> None:
    table = begun()
    ended = Connection(1, 2 * SECOND, packets=1, bytes=60).entry(3 * SECOND, **changes)
    table.apply_destroyed(ended, 3 * SECOND)
    (row,) = table.take_report(4 * SECOND)
    assert END_REASONS[row["end_reason"]] == reason


def test_an_end_without_a_state_is_judged_by_the_state_that_was_known() -> None:
    table = begun()
    table.apply_dump(shown(state=SYN_SENT), 3 * SECOND)
    ended = Connection(1, 2 * SECOND, packets=1, bytes=100).entry(4 * SECOND, tcp_state=0, status=0, reply_packets=1)
    table.apply_destroyed(ended, 4 * SECOND)
    (row,) = table.take_report(4 * SECOND)
    assert END_REASONS[row["end_reason"]] == "reset"
    assert row["tcp_state"] == SYN_SENT


def test_a_connection_that_vanishes_unheard_ends_as_evicted_after_two_dumps() -> None:
    table = begun()
    table.apply_dump(shown(), 2 * SECOND)
    table.take_report(2 * SECOND)
    table.apply_dump(entries(), 3 * SECOND)
    assert len(table.take_report(3 * SECOND)) == 0
    table.apply_dump(entries(), 4 * SECOND)
    (row,) = table.take_report(4 * SECOND)
    assert summary([row]) == [(0, False, True)]
    assert END_REASONS[row["end_reason"]] == "evicted"


def test_one_that_is_back_after_it_was_held_to_be_gone_goes_on_where_it_was() -> None:
    table = begun()
    found = []
    for second, dumped in enumerate([shown(), entries(), entries(), shown(size=300), entries()], start=2):
        table.apply_dump(dumped, second * SECOND)
        found += summary(table.take_report(second * SECOND))
    table.apply_destroyed(shown(size=400), 8 * SECOND)
    found += summary(table.take_report(8 * SECOND))
    assert found == [(100, True, False), (0, False, True), (200, False, False), (100, False, False)]


def test_a_beginning_of_which_nothing_more_is_heard_is_told_as_evicted() -> None:
    table = begun()
    table.apply_new(shown(start=0, size=0), 2 * SECOND)
    table.apply_dump(entries(), 3 * SECOND)
    assert len(table.take_report(3 * SECOND)) == 0
    table.apply_dump(entries(), 4 * SECOND)
    (row,) = table.take_report(4 * SECOND)
    assert summary([row]) == [(0, True, True)]
    assert END_REASONS[row["end_reason"]] == "evicted"
    table.apply_dump(entries(), 5 * SECOND)
    assert len(table.take_report(5 * SECOND)) == 0


def test_an_end_that_is_told_twice_or_dumped_after_it_was_told_counts_once() -> None:
    table = begun()
    found = []
    table.apply_destroyed(shown(), 2 * SECOND)
    table.apply_dump(shown(), 2 * SECOND)
    table.apply_destroyed(shown(), 2 * SECOND)
    found += summary(table.take_report(3 * SECOND))
    table.apply_destroyed(shown(), 4 * SECOND)
    table.apply_dump(entries(), 4 * SECOND)
    found += summary(table.take_report(4 * SECOND))
    assert found == [(100, True, True)]


def test_an_id_and_tuple_that_another_connection_took_over_are_two_connections() -> None:
    table = begun()
    found = []
    for second, start in enumerate((2, 4, 4, 4), start=5):
        table.apply_dump(shown(start=start * SECOND, size=100), second * SECOND)
        found.append(table.take_report(second * SECOND))
    rows = np.concatenate(found)
    assert sorted(summary(rows)) == [(0, False, True), (100, True, False), (100, True, False)]
    assert len(set(rows["connection_id"].tolist())) == 2


def test_counters_that_somebody_set_to_zero_begin_another_connection() -> None:
    table = begun()
    found = []
    for second, size in enumerate((500, 200, 300), start=3):
        table.apply_dump(shown(size=size), second * SECOND)
        found.append(table.take_report(second * SECOND))
    rows = np.concatenate(found)
    assert sorted(summary(rows)) == [(0, False, True), (100, False, False), (200, True, False), (500, True, False)]
    assert len(set(rows["connection_id"].tolist())) == 2


def test_without_times_two_ends_with_the_same_id_are_two_connections_when_two_began() -> None:
    table = begun()
    table.apply_new(entries(shown(start=0), shown(start=0)), 2 * SECOND)
    table.apply_destroyed(entries(shown(start=0), shown(start=0)), 3 * SECOND)
    rows = table.take_report(4 * SECOND)
    assert summary(rows) == [(100, True, True), (100, True, True)]
    assert len(set(rows["connection_id"].tolist())) == 2


def test_without_times_two_that_follow_a_known_one_in_an_interval_are_two_connections() -> None:
    kernel = Kernel(is_timed=False, old=1)
    kernel.dump()
    for verb in ("end", "open", "end", "open", "dump", "report"):
        kernel.now += SECOND
        getattr(kernel, verb)(*[0] * (verb in ("end", "open")))
    rows = kernel.rows()
    assert len(set(rows["connection_id"].tolist())) == len(set(rows["started_at_ns"].tolist())) == 3


def test_without_times_a_connection_with_the_figures_of_the_one_before_it_lives_on_in_every_dump() -> None:
    table = begun()
    table.apply_new(shown(start=0), 2 * SECOND)
    table.apply_destroyed(shown(start=0), 3 * SECOND)
    table.apply_new(shown(start=0), 4 * SECOND)
    for second in range(5, 10):
        table.apply_dump(shown(start=0), second * SECOND)
    found = summary(table.take_report(10 * SECOND))
    for second in (11, 12, 13):
        table.apply_dump(shown(start=0), second * SECOND)
        found += summary(table.take_report(second * SECOND))
    assert sorted(found) == [(100, True, False), (100, True, True)]


def test_without_counters_rows_carry_none() -> None:
    table = begun()
    bare = Connection(1, 2 * SECOND).entry(has_counters=0)
    table.apply_dump(bare, 3 * SECOND)
    table.apply_destroyed(bare, 4 * SECOND)
    assert summary(table.take_report(5 * SECOND)) == [(0, True, True)]


def test_the_id_of_a_timed_connection_needs_no_state_and_differs_between_nodes() -> None:
    found = []
    for seed in (1, 1, 2):
        table = ConnectionTable(seed, 10)
        table.apply_dump(shown(), 9 * SECOND)
        found.append(int(table.take_report(9 * SECOND)["connection_id"][0]))
    assert found[0] == found[1] != found[2]


def test_beyond_the_capacity_connections_are_left_out_and_counted_and_none_counts_twice() -> None:
    table = begun(capacity=2)
    found = []
    for second, order in enumerate([(1, 2, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)], start=3):
        table.apply_dump(entries(*(shown(number) for number in order)), second * SECOND)
        found += summary(table.take_report(second * SECOND))
    assert found == [(100, True, False), (100, True, False)]
    assert table.overflow == 4
    assert len(table) == 2


def test_ends_beyond_the_capacity_of_an_interval_are_counted() -> None:
    table = begun(capacity=2)
    table.apply_destroyed(entries(*(shown(number) for number in range(5))), 3 * SECOND)
    assert len(table.take_report(3 * SECOND)) == 2
    assert table.overflow == 3
    table.apply_destroyed(shown(7), 4 * SECOND)
    assert len(table.take_report(4 * SECOND)) == 1
