from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conntrail.observe.sight.nodes import NodeSight, add_interval, of_buckets, words

SINCE, UNTIL = 1_795_458_720_000, 1_795_458_720_000 + 600_000
SPAN = "2026-11-23T18:32:00Z to 2026-11-23T18:42:00Z"


def told(*intervals: tuple[str, float, float, str]) -> dict[str, NodeSight]:
    """Node, beginning and end in seconds after SINCE, coverage."""
    nodes: dict[str, NodeSight] = {}
    for name, begun, ended, coverage in intervals:
        start, end = (datetime.fromtimestamp(SINCE / 1000 + second, UTC).isoformat() for second in (begun, ended))
        body = {"observer": {"name": name}, "event": {"start": start, "end": end}, "flow": {"coverage": coverage}}
        add_interval(nodes, body, SINCE, UNTIL)
    return nodes


def said(*intervals: tuple[str, int, int, str]) -> str:
    return words(told(*intervals), SINCE, UNTIL, UTC)


def test_nodes_that_saw_everything_are_counted() -> None:
    assert said(("a", -10, 300, "complete"), ("a", 300, 595, "complete"), ("b", 0, 600, "complete")) == (
        f"from {SPAN} 2 nodes saw everything"
    )
    assert said(("a", 0, 600, "complete")) == f"from {SPAN} 1 node saw everything"


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([("b", 0, 580, "complete"), ("b", 580, 600, "lossy")], "b lossy 20s"),
        ([("b", 0, 500, "blind"), ("b", 500, 600, "lossy")], "b lossy 1m40s, blind 8m20s"),
        ([("b", 0, 300, "complete")], "b silent 5m"),
        ([("b", -60, -50, "complete")], "b silent 10m"),
        ([("b", 0, 600, "a word of another release")], "b blind 10m"),
        ([("b", -3600, 7200, "blind")], "b blind 10m"),
    ],
)
def test_each_node_that_saw_less_is_named_with_how_long(
    intervals: list[tuple[str, int, int, str]], expected: str
) -> None:
    line = said(("a", 0, 600, "complete"), *intervals)
    assert line == (
        f"INCOMPLETE: from {SPAN} 1 of 2 nodes saw everything; {expected}: few are no proof of little traffic"
    )


def test_an_interval_that_is_told_again_counts_once() -> None:
    half = [("a", start, start + 10, "complete") for start in range(0, 300, 10)]
    assert "1 of 2 nodes saw everything; a silent 5m:" in said(*half, *half, ("b", 0, 600, "complete"))
    again = [("a", 0, 200, "complete"), ("a", 200, 400, "lossy"), ("a", 0, 200, "complete"), ("a", 200, 400, "lossy")]
    assert "a lossy 3m20s, silent 3m20s:" in said(*again)


@given(st.lists(st.tuples(st.integers(-30, 90), st.integers(0, 40)), max_size=20))
def test_however_intervals_come_each_second_counts_once(intervals: list[tuple[int, int]]) -> None:
    nodes = told(*(("a", start * 10, (start + length) * 10, "complete") for start, length in intervals))
    seconds = {second for start, length in intervals for second in range(start, start + length) if 0 <= second < 60}
    assert sum(node.told_ms.total() for node in nodes.values()) == len(seconds) * 10_000


def test_what_is_remembered_of_a_node_is_bounded() -> None:
    nodes = told(*(("a", number, number + 0.5, "complete") for number in range(599)))
    assert len(nodes["a"].spans) <= 100
    assert nodes["a"].told_ms["complete"] == 599 * 500


def test_many_nodes_are_named_in_part_and_nobody_drives_the_terminal() -> None:
    line = said(*((f"n{number}\x1b[2J", 0, 600, "blind") for number in range(9)))
    assert r"n4\x1b[2J blind 10m; and 4 more" in line
    assert "\x1b" not in line
    assert "0 of 9 nodes" in line


def test_what_came_after_the_span_is_none_of_it_and_no_word_at_all_is_said() -> None:
    assert said(("late", 601, 700, "complete")) == f"INCOMPLETE: no node told what it saw from {SPAN}: do agents run?"


def test_sums_of_elasticsearch_say_the_same() -> None:
    def bucket(name: str, **seconds: int) -> dict[str, object]:
        found = [{"key": key, "duration": {"value": value * 1e9}} for key, value in seconds.items()]
        return {"key": name, "of_span": {"coverage": {"buckets": found}}}

    summed = of_buckets([bucket("a", complete=600), bucket("b", complete=580, lossy=20), bucket("c")])
    same = told(("a", 0, 600, "complete"), ("b", 0, 580, "complete"), ("b", 580, 600, "lossy"), ("c", -9, 0, "lossy"))
    assert words(summed, SINCE, UNTIL, UTC) == words(same, SINCE, UNTIL, UTC)
