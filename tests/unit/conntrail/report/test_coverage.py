"""What a node saw is one line without a hole; what it did not see is told, and why it may be."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from conntrail.policy.history.period import Period
from conntrail.report.fact.coverage import (
    AFTER_LAST,
    BEFORE_FIRST,
    NEVER,
    SIGHTS,
    Coverage,
    Interval,
    Life,
    Sight,
    Span,
    interval_of,
    line,
    lives_of,
)
from schemas.topic import CHANGES
from tests.unit.conntrail.report.builders import body, interval
from tests.unit.streams.index.cluster_builders import change

DAY = Period(1000, 2000)
NOBODY: Mapping[str, Life] = {}


def said(start_ms: int, end_ms: int, sight: Sight = "complete", **lost: int) -> Interval:
    return Interval("node1", start_ms, end_ms, sight, lost)


def read(*intervals: Interval, lives: Mapping[str, Life] = NOBODY, due_ms: int = DAY.until_ms) -> Coverage:
    found = Coverage(DAY, due_ms)
    found.read(intervals, lives)
    return found


def spans(found: Coverage) -> list[Span]:
    return [span for _, span in found.spans()]


def test_a_node_that_reported_everything_has_nothing_to_tell() -> None:
    found = read(said(990, 1500), said(1500, 2010))
    assert spans(found) == []
    assert found.total_ms == {"complete": 1000, "lossy": 0, "blind": 0, "silent": 0}


def test_lossy_neighbours_are_one_span_with_the_sum_of_what_was_lost() -> None:
    found = read(said(1000, 1100, "lossy", a=1), said(1100, 1200, "lossy", a=2, b=1), said(1200, 2000))
    assert spans(found) == [Span(1000, 1200, "lossy", {"a": 3, "b": 1})]


def test_a_hole_between_reports_is_silence() -> None:
    found = read(said(900, 1100), said(1300, 2000))
    assert spans(found) == [Span(1100, 1300, "silent")]


def test_a_node_that_stopped_before_the_period_is_missed() -> None:
    found = read(said(0, 900))
    assert spans(found) == [Span(1000, 2000, "silent", note=NEVER)]
    assert found.nodes == 1


def test_a_node_that_came_or_went_is_silent_with_a_word_of_doubt() -> None:
    found = read(said(1200, 1700))
    assert spans(found) == [Span(1000, 1200, "silent", note=BEFORE_FIRST), Span(1700, 2000, "silent", note=AFTER_LAST)]


def test_what_may_be_on_its_way_is_not_missed() -> None:
    assert spans(read(said(900, 1700), due_ms=1650)) == []
    assert spans(read(said(900, 1700), due_ms=1800)) == [Span(1700, 1800, "silent", note=AFTER_LAST)]
    assert spans(read(said(900, 1100), said(1200, 1700), due_ms=1000)) == [Span(1100, 1200, "silent")]


def test_what_the_cluster_tells_of_a_node_ends_the_doubt() -> None:
    lives = {"node1": Life(created_ms=1150, deleted_ms=1750)}
    found = read(said(1200, 1700), lives=lives)
    assert spans(found) == [Span(1150, 1200, "silent"), Span(1700, 1750, "silent")]


def test_a_node_that_was_removed_before_the_period_is_not_missed() -> None:
    found = read(said(0, 900), lives={"node1": Life(deleted_ms=950)})
    assert spans(found) == []
    assert found.nodes == 0


def test_a_node_without_an_agent_is_silent_since_it_was_made() -> None:
    found = read(lives={"node9": Life(created_ms=1400)})
    assert found.spans() == [(("node9", 1400), Span(1400, 2000, "silent", note=NEVER))]


def test_a_node_that_reports_before_its_object_is_known_is_there() -> None:
    found = read(said(1000, 2000), lives={"node1": Life(created_ms=1500)})
    assert spans(found) == []
    assert found.total_ms["complete"] == 1000


def test_spans_that_there_is_no_room_for_are_counted_all_the_same() -> None:
    found = Coverage(DAY, DAY.until_ms, maximum_spans=1)
    found.read([said(1000, 1100, "lossy"), said(1100, 1200), said(1200, 2000, "blind")], NOBODY)
    assert found.has_more
    assert found.total_ms == {"complete": 100, "lossy": 100, "blind": 800, "silent": 0}


@given(st.lists(st.tuples(st.integers(800, 2200), st.integers(1, 300), st.sampled_from(SIGHTS[:3])), max_size=12))
def test_a_line_has_no_hole_and_no_overlap(given_intervals: list[tuple[int, int, Sight]]) -> None:
    intervals = sorted((said(start, start + length, sight) for start, length, sight in given_intervals),
                       key=lambda one: (one.start_ms, one.end_ms))  # fmt: skip
    found = list(line([one for one in intervals if one.start_ms < DAY.until_ms], DAY, Life(), DAY.until_ms))
    edges = [DAY.since_ms, *(span.end_ms for span in found)]
    assert [span.start_ms for span in found] == edges[:-1]
    assert edges[-1] == DAY.until_ms


def test_documents_are_read_and_an_unknown_word_is_no_sight() -> None:
    known = interval_of(interval("node1", 0, 10, "lossy", attempts_cut=3))
    assert (known.node, known.end_ms - known.start_ms, known.sight, known.lost) == (
        "node1",
        10_000,
        "lossy",
        {"attempts_cut": 3},
    )
    assert interval_of(interval("node1", 0, 10, "perfect")).sight == "blind"


def test_nodes_come_and_go_by_the_clusters_changes() -> None:
    told = [
        body(CHANGES, change(kind="Node", namespace="", name="node1", action="created", at_ns=5_000_000)),
        body(CHANGES, change(kind="Node", namespace="", name="node1", action="deleted", at_ns=9_000_000)),
        body(CHANGES, change(kind="Node", namespace="", name="node1", action="ready", at_ns=7_000_000)),
    ]
    assert lives_of(told) == {"node1": Life(created_ms=5, deleted_ms=9)}
