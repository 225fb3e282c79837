"""Rows that move as pieces of memory arrive as numpy's own, slower, ways would bring them."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.node.report.columns import SOCKET
from agents.node.report.rows import choose, insert, join, remove, replace

ROW = np.dtype([("number", "u8"), ("flag", "?"), ("socket", SOCKET)])


def rows(count: int, first: int = 0) -> npt.NDArray[np.void]:
    made = np.zeros(count, ROW)
    made["number"] = first + np.arange(count)
    made["flag"] = made["number"] % 3 == 0
    made["socket"]["inode"] = 7 * made["number"]
    return made


@given(st.lists(st.booleans(), max_size=30))
def test_rows_are_chosen_by_flag_as_by_position(flags: list[bool]) -> None:
    chosen = np.array(flags, np.bool_)
    made = rows(len(flags))
    assert choose(made, chosen).tolist() == made[chosen].tolist()
    assert choose(made, np.flatnonzero(chosen)).tolist() == made[chosen].tolist()


def test_chosen_rows_are_a_copy() -> None:
    made = rows(3)
    choose(made, np.array([0, 1]))["number"] = 99
    assert made["number"].tolist() == [0, 1, 2]


def test_nested_rows_can_be_chosen_and_replaced_in_place() -> None:
    made = rows(4)
    replace(made["socket"], np.array([0, 3]), choose(rows(4, first=10)["socket"], np.array([1, 2])))
    assert made["socket"]["inode"].tolist() == [77, 7, 14, 84]
    assert made["number"].tolist() == [0, 1, 2, 3]


def test_rows_of_other_columns_are_refused() -> None:
    with pytest.raises(AssertionError):
        replace(rows(1), slice(None), np.zeros(1, SOCKET))
    with pytest.raises(AssertionError):
        join([rows(1), np.zeros(1, SOCKET)], ROW)


@given(st.lists(st.integers(0, 4), max_size=5))
def test_parts_are_joined_in_order(sizes: list[int]) -> None:
    parts = [rows(size, first=10 * place) for place, size in enumerate(sizes)]
    assert join(parts, ROW).tolist() == [row for part in parts for row in part.tolist()]
    assert join(parts, ROW).dtype == ROW


@given(st.lists(st.integers(0, 5), unique=True))
def test_what_is_inserted_can_be_removed(places: list[int]) -> None:
    made, positions = rows(5), np.sort(np.array(places, np.intp))
    others = rows(len(positions), first=50)
    assert insert(made, positions, others).tolist() == np.insert(made, positions, others).tolist()
    assert remove(insert(made, positions, others), positions + np.arange(len(positions))).tolist() == made.tolist()
