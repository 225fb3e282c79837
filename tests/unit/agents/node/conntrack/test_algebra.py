"""Whatever happens in whatever order, rows add up to what the kernel counted."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.agents.node.conntrack.kernel import SECOND, Kernel, entries

numbers = st.integers(0, 3)
COMMON = [
    st.tuples(st.just("open"), numbers),
    st.tuples(st.just("send"), numbers, st.integers(0, 5)),
    st.tuples(st.just("end"), numbers),
    st.just(("dump",)),
    st.just(("report",)),
    st.just(("restart",)),
    st.tuples(st.just("linger"), numbers),
]
TIMED = [
    *COMMON,
    st.tuples(st.just("open unheard"), numbers),
    st.tuples(st.just("end unheard"), numbers),
    st.tuples(st.just("end dying"), numbers),
    st.just(("repeat_end",)),
]


def play(kernel: Kernel, steps: list[tuple[Any, ...]]) -> None:
    # The table exists from the first second on, before anything but the old connections.
    kernel.table.apply_new(entries(), kernel.now)
    for name, *arguments in steps:
        kernel.now += SECOND
        verb, *how = name.split()
        options = {"unheard": {"is_heard": False}, "dying": {"is_dying": True}}[how[0]] if how else {}
        getattr(kernel, verb)(*arguments, **options)
    for _ in range(3):  # what is gone unheard is given up after two dumps
        kernel.now += SECOND
        kernel.dump()
        kernel.report()


@settings(max_examples=200)
@given(st.integers(0, 2), st.lists(st.one_of(TIMED), max_size=40))
def test_each_connection_adds_up_whatever_is_lost_or_told_twice(old: int, steps: list[tuple[Any, ...]]) -> None:
    kernel = Kernel(is_timed=True, old=old)
    play(kernel, steps)
    all_of_them = [*kernel.live.values(), *kernel.ended, *kernel.lost]
    wanted = sorted(c.seen - c.baseline for c in all_of_them if c.seen)
    assert sorted(value for value in kernel.told().values() if value) == [value for value in wanted if value]


@settings(max_examples=200)
@given(st.integers(0, 2), st.lists(st.one_of(TIMED), max_size=40))
def test_each_connection_begins_once_and_ends_at_most_once(old: int, steps: list[tuple[Any, ...]]) -> None:
    kernel = Kernel(is_timed=True, old=old)
    play(kernel, steps)
    rows = kernel.rows()
    for identity in np.unique(rows["connection_id"]):
        mine = rows[rows["connection_id"] == identity]
        assert mine["is_first"].tolist() == [True] + [False] * (len(mine) - 1)
        assert mine["is_final"].sum() <= 1
        assert len(set(mine["started_at_ns"].tolist())) == 1
    for report in kernel.reports:
        assert len(np.unique(report["connection_id"])) == len(report)
    heard = {c.started_at_ns for c in kernel.ended}
    final = rows["started_at_ns"][rows["is_final"]].tolist()
    assert all(start in final for start in heard)


@settings(max_examples=200)
@given(st.integers(0, 2), st.lists(st.one_of(COMMON), max_size=40))
def test_without_times_rows_add_up_too(old: int, steps: list[tuple[Any, ...]]) -> None:
    """Once the table has looked: before that, an old connection and one that took its id at once look the same."""
    kernel = Kernel(is_timed=False, old=old)
    kernel.dump()
    play(kernel, steps)
    all_of_them = [*kernel.live.values(), *kernel.ended]
    rows = kernel.rows()
    assert int(rows["original_bytes"].sum()) == sum(c.seen - c.baseline for c in all_of_them)
    assert int(rows["is_first"].sum()) == len(all_of_them)
    assert len(set(rows["connection_id"].tolist())) == len(all_of_them)
    assert int(rows["is_final"].sum()) >= len(kernel.ended)
