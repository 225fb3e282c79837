"""A denial waits for what is not known yet, never longer than its patience, and is never lost."""

import polars as pl
import pytest

from streams.denial.evaluate import evaluate, unnamed
from streams.denial.waiting import PATIENCE_NS, Waiting
from tests.support.objects import directory_of
from tests.support.parts import batch, part
from tests.unit.streams.denial.builders import OBJECTS, START, Row, denied, names_of, policy


def is_open(row: Row, *, with_policy: bool = True) -> bool:
    names = names_of(*([policy()] if with_policy else []))
    return bool(evaluate(part(batch("node2"), [row]).rows, names).is_open[0])


@pytest.mark.parametrize(
    ("row", "is_waiting"),
    [
        (denied(), False),
        (denied(source="203.0.113.9"), False),
        (denied(source="10.0.1.99"), True),
        (denied(source="fd00:1::99", destination="fd00:2::8"), True),
        (denied(destination="10.0.2.99"), True),
        (denied(source="203.0.113.9", destination="198.51.100.7"), True),
        (denied(destination="10.0.2.99", dialled="10.96.0.1"), True),
    ],
)
def test_only_a_row_with_an_end_that_may_be_named_later_is_open(row: Row, *, is_waiting: bool) -> None:
    assert is_open(row) == is_waiting


def test_what_no_policy_explains_is_open_since_a_policy_may_not_have_been_heard_of() -> None:
    assert is_open(denied(), with_policy=False)


def test_a_name_that_comes_meanwhile_is_used() -> None:
    raw = part(batch("node2"), [denied()]).rows
    without = directory_of(*(one for one in OBJECTS if one["name"] != "web"))
    before = evaluate(raw, names_of(policy(), directory=without))
    assert (before.is_open.to_list(), unnamed(before.rows)) == ([True], 1)
    after = evaluate(raw, names_of(policy()))
    assert (after.is_open.to_list(), unnamed(after.rows)) == ([False], 0)


def test_parts_are_held_until_each_row_is_told_and_the_first_offset_follows() -> None:
    waiting = Waiting()
    assert waiting.add(part(batch("node1", 0), [denied(), denied(source="10.0.1.99")], offset=4), START)
    assert waiting.add(part(batch("node1", 1), [denied()], offset=5), START + PATIENCE_NS - 1)
    assert not waiting.add(part(batch("node1", 1), [denied()], offset=6), START)
    assert waiting.rows()["original_source_address"].to_list() == ["10.0.1.7", "10.0.1.99", "10.0.1.7"]
    assert waiting.is_over(START + PATIENCE_NS).to_list() == [True, True, False]
    waiting.keep(pl.Series([False, True, False]))
    assert (list(waiting.offsets()), waiting.rows().height) == ([4], 1)
    waiting.keep(pl.Series([False]))
    assert len(waiting) == 0


def test_a_row_that_tells_of_no_denial_is_none() -> None:
    waiting = Waiting()
    waiting.add(part(batch("node1"), [denied(evidence="confirmed"), denied()]), START)
    assert waiting.rows().height == 1
    waiting.add(part(batch("node1", 1)), START)
    waiting.keep(pl.Series([False]))
    assert len(waiting) == 0
