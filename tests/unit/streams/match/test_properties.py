"""Whatever nodes report, in whatever order: every connection counts once, by the figures of the end that counts."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.match.columns import MATCHED
from streams.match.match import match
from tests.support.parts import SECOND
from tests.unit.streams.match.builders import NODE_NAMES, NODES, Report, frame, report

Connection = tuple[int, list[Report]]
COUNTS = st.integers(0, 2**40)
_COUNTED = ("original_bytes", "reply_bytes", "original_packets", "reply_packets")


@st.composite
def connections(draw: st.DrawFn) -> list[Report]:
    """Several connections, some of one tuple one after the other, by one end or both, in several intervals."""
    reports: list[Report] = []
    for number in range(draw(st.integers(0, 4))):
        ends = draw(tuples(number))
        for use in range(draw(st.integers(1, 3))):
            for node in draw(st.sampled_from([(1, 2), (1,), (2,), (3,)])):
                facts = {
                    **ends[node],
                    "connection_id": 1000 * (number + 1) + 10 * use + node,
                    "started_at_ns": (use + 1) * SECOND + node,
                }
                reports += [draw(interval(node, place, facts)) for place in range(draw(st.integers(1, 3)))]
    return reports


@st.composite
def tuples(draw: st.DrawFn, number: int) -> dict[int, dict[str, Any]]:
    """The ends as nodes 1 (the source's), 2 (the destination's) and 3 (both) see them; some share a flow key."""
    host = draw(st.sampled_from(["fd00::{}", "10.0.0.{}"]))
    ends: dict[str, Any] = {
        "flow_key": draw(st.sampled_from([number, 0])),
        "source_address": host.format(number),
        "source_port": 4000 + number,
        "destination_address": host.format(200),
    }
    if draw(st.booleans()):
        return {1: ends, 2: ends, 3: ends}
    nat = {"nat_address": host.format(201), "nat_port": 60_000 + number}
    return {
        1: {**ends, **nat},
        2: {**ends, "source_address": host.format(201), "source_port": 60_000 + number},
        3: ends,
    }


@st.composite
def interval(draw: st.DrawFn, node: int, place: int, facts: dict[str, Any]) -> Report:
    """One report."""
    choices: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(("seen_at_ns", *_COUNTED), COUNTS),
        "seen_reply": st.booleans(),
        "attempts": st.integers(0, 9),
        "evidence": st.sampled_from(["confirmed", "attempt", "reject", "socket"]),
        "coverage": st.sampled_from(["complete", "lossy", "blind"]),
        "state": st.sampled_from(["", "established", "close"]),
        "end_reason": st.sampled_from(["active", "closed"]),
        "source_process_id": st.sampled_from([None, 1, 2]),
        "tcp_rtt_us": st.sampled_from([None, 10]),
        "tcp_retransmits": st.sampled_from([None, 3]),
    }
    chosen = draw(st.fixed_dictionaries(choices))
    role = {1: "source", 2: "destination", 3: "both"}[node]
    return report(node, role, sequence=place, interval_start_ns=place * SECOND, **facts, **chosen)


@settings(max_examples=60)
@given(connections(), st.randoms(use_true_random=False), st.sets(st.sampled_from(NODES)))
def test_the_order_of_rows_does_not_matter(reports: list[Report], shuffle: random.Random, seeing: set[str]) -> None:
    shuffled = list(reports)
    shuffle.shuffle(shuffled)
    first, second = match(frame(reports), seeing, NODE_NAMES), match(frame(shuffled), seeing, NODE_NAMES)
    assert first.equals(second)
    assert dict(first.schema) == MATCHED


@given(connections())
def test_every_connection_is_one_row_with_the_sums_of_the_end_that_counts(reports: list[Report]) -> None:
    """The k-th connection of a tuple on one node is the k-th on the other, whichever uses each of them saw."""
    by_reporter: dict[tuple[Any, ...], dict[str, dict[int, list[Report]]]] = {}
    for one in reports:
        wire = (one["flow_key"], one["reply_source_address"], one["reply_destination_address"],
                one["reply_destination_port"])  # fmt: skip
        by_node = by_reporter.setdefault(wire, {})
        by_node.setdefault(one["node"], {}).setdefault(one["connection_id"], []).append(one)
    expected = []
    for nodes in by_reporter.values():
        ordered = {
            node: sorted(ids.items(), key=lambda item: item[1][0]["started_at_ns"]) for node, ids in nodes.items()
        }
        if nodes.keys() > {"node2"}:
            ordered["node2"] = _without_first_packets(ordered["node2"])
        for place in range(max(map(len, ordered.values()))):
            present = [node for node in ("node1", "node3", "node2") if place < len(ordered.get(node, []))]
            identity, rows = ordered[present[0]][place]
            expected.append((identity, present[0], sorted(present), *_sums(rows)))
    columns = ["flow_id", "observer", "observers", "source_bytes", "destination_bytes", "source_packets",
               "destination_packets"]  # fmt: skip
    found = match(frame(reports), set(NODES), NODE_NAMES)
    assert sorted(found.select(columns).rows()) == sorted(expected)
    orphans = found.filter("is_orphan")["observers"].to_list()
    assert all(names == ["node2"] for names in orphans)


def _without_first_packets(connections: list[Connection]) -> list[Connection]:
    """Of the far end, those dropped there whose repetition was let through are no connections of their own."""
    evidences = [{row["evidence"] for row in rows} for _, rows in connections]
    following = [*evidences[1:], set()]
    return [
        connection
        for connection, own, next_one in zip(connections, evidences, following, strict=True)
        if own != {"attempt"} or "confirmed" not in next_one
    ]


def _sums(rows: list[Report]) -> list[int]:
    return [sum(row[name] for row in rows) for name in _COUNTED]
