import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.policy.knowledge import Names
from streams.policy.timeline import PolicyTimeline
from streams.source.part import Part
from streams.window.evaluate import Beside, Evaluation, evaluate_step, revision
from tests.support.parts import SECOND, batch, part, raw_flow
from tests.unit.streams.policy.builders import policy_object, timeline
from tests.unit.streams.window.builders import API, WEB_1, directory

NAMES = Names(directory(), PolicyTimeline())
ALLOWING = Names(directory(), timeline(policy_object({"podSelector": {}, "ingress": [{}]}, observed_at_ns=0)))
BOTH = frozenset({"node1", "node2"})


def row(**facts: Any) -> dict[str, Any]:
    """A connection from web-1 on node1 to api-1 on node2."""
    ends = {
        "original_source_address": "10.0.1.7", "original_source_port": 40000,
        "original_destination_address": "10.0.2.8", "original_destination_port": 8080,
        "reply_source_address": "10.0.2.8", "reply_source_port": 8080,
        "reply_destination_address": "10.0.1.7", "reply_destination_port": 40000,
    }  # fmt: skip
    figures = {"original_packets": 3, "original_bytes": 300, "reply_packets": 2, "reply_bytes": 200}
    return raw_flow(
        **{
            "flow_key": 7, "connection_id": 1, "protocol": 6, "evidence": "confirmed", "end_reason": "active",
            "started_at_ns": SECOND, "seen_at_ns": 5 * SECOND, "seen_reply": True, **ends, **figures, **facts,
        }
    )  # fmt: skip


def from_node(node: str, *rows: dict[str, Any], start: int = 0, **facts: Any) -> Part:
    return part(batch(node, start // 10, start, start + 10, **facts), rows)


def evaluated(
    *parts: Part,
    neighbours: tuple[Part, ...] = (),
    earlier: tuple[Part, ...] = (),
    settled: bool = True,
    names: Names = NAMES,
) -> Evaluation:
    return evaluate_step(list(parts), Beside(list(neighbours), list(earlier)), BOTH, names, settled)


def test_both_ends_are_one_row_with_names_and_verdict() -> None:
    found = evaluated(from_node("node1", row()), from_node("node2", row(connection_id=2)))
    (judged,) = found.judged.to_dicts()
    assert (judged["source_index"], judged["destination_index"]) == (WEB_1, API)
    assert (judged["reporter"], judged["action"], judged["source_bytes"]) == ("both", "allowed", 300)
    assert (found.has_orphans, found.has_unknown, found.echoes) == (False, False, 0)


def test_what_one_end_alone_saw_waits_for_the_steps_beside_it() -> None:
    alone = from_node("node2", row(is_first=True))
    waiting = evaluated(from_node("node1"), alone, settled=False)
    assert (waiting.judged.height, waiting.has_orphans, waiting.echoes) == (0, True, 0)
    settled = evaluated(from_node("node1"), alone)
    assert (settled.judged.height, settled.has_orphans, settled.echoes) == (1, True, 0)
    assert settled.judged["source_bytes"].to_list() == [300]


def test_what_the_near_end_reported_in_the_step_beside_it_is_not_counted_again() -> None:
    alone = from_node("node2", row(connection_id=2), start=10)
    beside = from_node("node1", row())
    found = evaluated(alone, neighbours=(beside,))
    assert (found.judged.height, found.echoes) == (0, 1)


def attempt(**facts: Any) -> dict[str, Any]:
    """What node2 saw dropped."""
    return row(connection_id=2, evidence="attempt", end_reason="denied", is_first=True, is_final=True,
               seen_reply=False, reply_packets=0, reply_bytes=0, **facts)  # fmt: skip


UNANSWERED = from_node("node1", row(is_first=True, seen_reply=False, reply_packets=0, reply_bytes=0))


def test_a_denial_by_the_far_node_a_step_later_that_policies_do_not_explain_is_drift_of_the_near_ends_flow() -> None:
    found = evaluated(from_node("node2", attempt(), start=10), neighbours=(UNANSWERED,), names=ALLOWING)
    (judged,) = found.judged.to_dicts()
    assert (judged["flow_id"], judged["action"], judged["drift"]) == (1, "denied", True)
    assert (judged["source_bytes"], judged["is_first"], judged["is_final"], found.echoes) == (0, False, False, 0)


def test_a_denial_that_the_far_node_tells_two_steps_later_is_no_second_flow() -> None:
    late = from_node("node2", attempt(), start=20)
    assert (evaluated(late, earlier=(UNANSWERED,)).judged.height, evaluated(late).judged.height) == (0, 1)
    (drift,) = evaluated(late, earlier=(UNANSWERED,), names=ALLOWING).judged.to_dicts()
    assert (drift["flow_id"], drift["drift"]) == (1, True)


def test_what_else_the_far_node_alone_saw_two_steps_later_is_counted() -> None:
    late = from_node("node2", row(connection_id=2), start=20)
    assert evaluated(late, earlier=(from_node("node1", row()),)).judged.height == 1


@pytest.mark.parametrize(
    ("names", "near", "facts"),
    [
        (NAMES, UNANSWERED, {}),
        (ALLOWING, from_node("node1", row()), {}),
        (ALLOWING, UNANSWERED, {"seen_reply": True}),
    ],
    ids=["no policy says anything", "the near end has an answer", "the far end has one"],
)
def test_a_far_nodes_later_report_that_says_nothing_new_is_an_echo(
    names: Names, near: Part, facts: dict[str, Any]
) -> None:
    found = evaluated(from_node("node2", {**attempt(), **facts}, start=10), neighbours=(near,), names=names)
    assert (found.judged.height, found.echoes) == (0, 1)


def test_the_same_nodes_report_in_the_step_beside_it_proves_nothing() -> None:
    alone = from_node("node2", row(connection_id=2), start=10)
    found = evaluated(alone, neighbours=(from_node("node2", row(connection_id=2)), from_node("node1")))
    assert (found.judged.height, found.echoes) == (1, 0)


def test_a_far_ends_report_without_packets_says_nothing() -> None:
    silent = row(original_packets=0, original_bytes=0, reply_packets=0, reply_bytes=0, is_final=True)
    found = evaluated(from_node("node2", silent), settled=False)
    assert (found.judged.height, found.has_orphans, found.echoes) == (0, False, 1)


def test_an_address_without_a_name_asks_for_later_metadata() -> None:
    outside = row(original_source_address="198.51.100.1", reply_destination_address="198.51.100.1")
    assert evaluated(from_node("node2", outside)).has_unknown
    assert not evaluated(from_node("node1", row())).has_unknown


def test_a_step_without_rows_has_the_same_columns() -> None:
    full = evaluated(from_node("node1", row())).judged
    for empty in (evaluated(), evaluated(from_node("node1"), from_node("node2"))):
        assert empty.judged.height == 0
        assert empty.judged.schema == full.schema
        assert (empty.has_orphans, empty.has_unknown, empty.echoes) == (False, False, 0)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["node1", "node2"]), st.integers(1, 4), st.integers(0, 9), st.booleans()), max_size=9
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_parts_does_not_matter(reports: list[tuple[str, int, int, bool]], shuffle: random.Random) -> None:
    parts = [
        part(
            batch(node, number),
            [row(flow_key=key, connection_id=key, original_source_port=key, reply_destination_port=key,
                 original_packets=count, original_bytes=40 * count, is_first=is_first)],
        )
        for number, (node, key, count, is_first) in enumerate(reports)
    ]  # fmt: skip
    expected = evaluated(*parts)
    shuffle.shuffle(parts)
    assert evaluated(*parts).judged.sort("flow_key").equals(expected.judged.sort("flow_key"))


def test_revisions_grow_with_parts_then_neighbours_then_metadata() -> None:
    orders = [
        (parts, settled, version)
        for parts in (0, 1, 2, 1000)
        for settled in (False, True)
        for version in (0, 1, 10**9, 2**40 - 1, 2**50)
    ]
    revisions = [revision(*order) for order in orders]
    assert revisions == sorted(revisions)
    assert len(set(revisions)) == len({(parts, settled, min(version, 2**40 - 1)) for parts, settled, version in orders})
    assert revision(100_000, True, 2**60) < 2**63


@pytest.mark.parametrize("coverage", ["complete", "lossy"])
def test_the_coverage_of_the_parts_is_told(coverage: str) -> None:
    judged = evaluated(from_node("node1", row(), coverage=coverage)).judged
    assert judged["coverage"].to_list() == [coverage]
    assert judged.schema["evidence"] == pl.List(pl.String)
