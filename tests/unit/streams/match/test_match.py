from typing import Any

import polars as pl
import pytest

from streams.match.columns import MATCHED
from streams.match.match import match
from tests.support.parts import SECOND
from tests.unit.streams.match.builders import NODE_NAMES, far, frame, matched, near, report


def test_both_ends_are_one_row_with_the_figures_of_the_source() -> None:
    (row,) = matched(far(original_bytes=999, reply_bytes=888), near())
    assert (row["source_bytes"], row["destination_bytes"]) == (300, 200)
    assert (row["source_packets"], row["destination_packets"]) == (3, 2)
    assert (row["reporter"], row["observer"], row["observers"]) == ("both", "node1", ["node1", "node2"])
    assert (row["flow_id"], row["flow_key"], row["is_orphan"]) == (101, 7, False)


@pytest.mark.parametrize(("one", "reporter"), [(near(), "source"), (report(1, "both"), "both")])
def test_one_report_alone_is_one_row(one: dict[str, Any], reporter: str) -> None:
    (row,) = matched(one)
    assert (row["reporter"], row["observers"], row["is_orphan"]) == (reporter, ["node1"], False)


def test_the_destination_counts_when_the_sources_node_cannot_see() -> None:
    (row,) = matched(far(), reporting={"node2"})
    assert (row["reporter"], row["observer"], row["source_bytes"], row["is_orphan"]) == (
        "destination", "node2", 300, False,
    )  # fmt: skip


def test_the_destination_counts_when_the_source_is_outside() -> None:
    (row,) = matched(far(source_index=None, direction="inbound"))
    assert (row["reporter"], row["is_orphan"]) == ("destination", False)


def test_what_the_far_end_alone_reports_of_a_source_that_is_seen_is_an_orphan() -> None:
    (row,) = matched(far())
    assert (row["reporter"], row["is_orphan"]) == ("destination", True)


@pytest.mark.parametrize("family", [("10.0.1.7", "10.0.2.8", "192.168.0.1"), ("fd00:1::7", "fd00:2::8", "fd00::1")])
def test_a_translated_source_is_the_real_one(family: tuple[str, str, str]) -> None:
    source, destination, translated = family
    ends = {"destination_address": destination, "destination_port": 80}
    nat = {"source_address": source, "nat_address": translated, "nat_port": 61000}
    seen = {"source_address": translated, "source_port": 61000, "source_index": 1}
    for reports in ((near(**ends, **nat), far(**ends, **seen)), (far(**ends, **seen), near(**ends, **nat))):
        (row,) = matched(*reports)
        assert (row["source_address"], row["source_port"]) == (source, 4000)
        assert (row["nat_address"], row["nat_port"]) == (translated, 61000)
        assert row["reporter"] == "both"


def test_a_dialled_service_is_kept_where_both_ends_see_the_pod() -> None:
    (row,) = matched(near(dialled_address="10.96.0.1", dialled_port=80, service_index=4), far())
    assert (row["dialled_address"], row["dialled_port"], row["service_index"]) == ("10.96.0.1", 80, 4)
    assert row["destination_address"] == "10.0.2.8"


def test_a_node_between_the_ends_knows_the_real_source() -> None:
    nat = {"nat_address": "192.168.0.3", "nat_port": 61000, "dialled_address": "192.168.0.3", "dialled_port": 30080}
    between = report(3, "none", source_address="198.51.100.4", source_index=None, **nat)
    seen = far(source_address="192.168.0.3", source_port=61000, source_index=3)
    (row,) = matched(seen, between)
    assert (row["source_address"], row["dialled_port"]) == ("198.51.100.4", 30080)
    assert (row["reporter"], row["observer"], row["observers"]) == ("destination", "node3", ["node2", "node3"])


def test_three_reporters_are_one_row() -> None:
    (row,) = matched(report(3, "none", source_process_id=9), far(), near())
    assert (row["observers"], row["observer"], row["source_process_id"]) == (["node1", "node2", "node3"], "node1", 9)


def test_intervals_of_one_reporter_are_added_up() -> None:
    first = near(is_first=True, seen_at_ns=5 * SECOND, state="syn_sent", tcp_retransmits=2, tcp_rtt_us=50)
    second = near(
        interval_start_ns=10 * SECOND, interval_end_ns=20 * SECOND, sequence=1, seen_at_ns=15 * SECOND, state="close",
        is_final=True, end_reason="closed", ended_at_ns=15 * SECOND, tcp_retransmits=1, tcp_rtt_us=70, coverage="lossy",
    )  # fmt: skip
    for reports in ((first, second, far()), (far(), second, first)):
        (row,) = matched(*reports)
        assert (row["source_bytes"], row["destination_bytes"], row["source_packets"]) == (600, 400, 6)
        assert (row["is_first"], row["is_final"], row["state"], row["end_reason"]) == (True, True, "close", "closed")
        assert (row["interval_start_ns"], row["interval_end_ns"]) == (0, 20 * SECOND)
        assert (row["seen_at_ns"], row["ended_at_ns"], row["coverage"]) == (15 * SECOND, 15 * SECOND, "lossy")
        assert (row["tcp_retransmits"], row["tcp_rtt_us"]) == (3, 70)


def test_what_the_last_interval_does_not_say_an_earlier_one_said() -> None:
    first = near(source_process_id=4, source_process_name="curl", tcp_rtt_us=50)
    (row,) = matched(first, near(interval_start_ns=10 * SECOND, sequence=1))
    assert (row["source_process_id"], row["source_process_name"], row["tcp_rtt_us"]) == (4, "curl", 50)


def test_each_end_adds_its_process_and_the_near_one_its_figures() -> None:
    one = near(source_process_id=4, source_process_name="curl", tcp_rtt_us=50, tcp_lost=None)
    other = far(destination_process_id=9, destination_process_name="nginx", tcp_rtt_us=70, tcp_lost=3)
    (row,) = matched(one, other)
    assert (row["source_process_name"], row["destination_process_name"]) == ("curl", "nginx")
    assert (row["tcp_rtt_us"], row["tcp_lost"]) == (50, None)
    (row,) = matched(near(), other)
    assert (row["tcp_rtt_us"], row["tcp_lost"]) == (70, 3)


def test_a_tuple_used_twice_is_two_connections_paired_by_their_starts() -> None:
    def twice(make: Any, ids: tuple[int, int], late: int) -> list[dict[str, Any]]:
        starts = (SECOND + late, 3 * SECOND + late)
        return [
            make(connection_id=identity, started_at_ns=start, original_bytes=identity, destination_process_id=identity)
            for identity, start in zip(ids, starts, strict=True)
        ]

    ends = [*twice(near, (80, 20), 0), *twice(far, (5, 40), 900)]
    for reports in (ends, ends[::-1], [ends[1], ends[3], ends[0], ends[2]]):
        first, second = sorted(matched(*reports), key=lambda row: row["started_at_ns"])
        assert (first["flow_id"], first["source_bytes"], second["flow_id"], second["source_bytes"]) == (80, 80, 20, 20)
        assert [row["reporter"] for row in (first, second)] == ["both", "both"]


def test_two_reports_of_the_near_end_and_one_of_the_far_end_are_two_connections() -> None:
    rows = matched(near(connection_id=1), near(connection_id=2, started_at_ns=4 * SECOND), far())
    assert [(row["flow_id"], row["reporter"]) for row in rows] == [(1, "both"), (2, "source")]


def test_a_denied_attempt_and_the_unanswered_entry_are_one_connection() -> None:
    silent = near(seen_reply=False, reply_packets=0, reply_bytes=0, state="syn_sent")
    denied = far(evidence="attempt", attempts=4, seen_reply=False, original_bytes=0, end_reason="denied")
    (row,) = matched(silent, denied)
    assert (row["is_attempt"], row["attempts"], row["seen_reply"]) == (True, 4, False)
    assert row["evidence"] == ["attempt", "confirmed", "unreplied"]
    assert (row["end_reason"], row["source_bytes"]) == ("active", 300)


def test_a_first_packet_that_the_far_end_dropped_and_the_next_that_it_let_through_are_one_connection() -> None:
    dropped = far(connection_id=5, evidence="attempt", attempts=1, seen_reply=False, original_bytes=0)
    passed = far(connection_id=6, started_at_ns=2 * SECOND, destination_process_id=9)
    for reports in ((near(), dropped, passed), (passed, dropped, near())):
        (row,) = matched(*reports)
        assert (row["flow_id"], row["reporter"], row["observers"]) == (101, "both", ["node1", "node2"])
        assert (row["attempts"], row["seen_reply"], row["destination_process_id"]) == (1, True, 9)
        assert (row["source_bytes"], row["evidence"]) == (300, ["attempt", "confirmed"])


def test_the_connection_after_one_whose_first_packet_was_dropped_is_another() -> None:
    dropped = far(connection_id=5, evidence="attempt", attempts=1, seen_reply=False)
    passed, again = (far(connection_id=5 + place, started_at_ns=(1 + place) * SECOND) for place in (1, 4))
    rows = matched(again, dropped, near(connection_id=80, started_at_ns=5 * SECOND), near(connection_id=20), passed)
    assert sorted((row["flow_id"], row["reporter"]) for row in rows) == [(20, "both"), (80, "both")]


@pytest.mark.parametrize(
    "reports",
    [
        [far(connection_id=5, evidence="reject"), far(connection_id=6, started_at_ns=2 * SECOND), near()],
        [far(connection_id=5, evidence="attempt"), far(connection_id=6, started_at_ns=2 * SECOND)],
        [far(connection_id=5), far(connection_id=6, evidence="attempt", started_at_ns=2 * SECOND), near()],
    ],
    ids=["the client was told", "nobody knows of one entry", "it was let through before"],
)
def test_other_attempts_are_connections_of_their_own(reports: list[dict[str, Any]]) -> None:
    assert len(matched(*reports)) == 2


@pytest.mark.parametrize(
    ("evidence", "is_attempt", "words"),
    [
        ("confirmed", False, ["confirmed", "unreplied"]),
        ("attempt", True, ["attempt"]),
        ("reject", True, ["reject"]),
        ("socket", False, ["socket"]),
        ("a word of tomorrow", False, []),
    ],
)
def test_evidence_is_named(evidence: str, is_attempt: bool, words: list[str]) -> None:
    (row,) = matched(near(evidence=evidence, seen_reply=False))
    assert (row["evidence"], row["is_attempt"]) == (words, is_attempt)


def test_the_worst_coverage_is_told() -> None:
    assert matched(near(), far(coverage="lossy"))[0]["coverage"] == "lossy"
    assert matched(near(coverage="blind"), far(coverage="lossy"))[0]["coverage"] == "blind"


def test_a_node_that_met_a_connection_midway_does_not_make_it_two() -> None:
    midway = report(
        2, "source", source_address="10.0.2.8", source_port=80, destination_address="10.0.1.7", destination_port=4000,
        source_index=2, destination_index=1, source_process_id=9,
    )  # fmt: skip
    (row,) = matched(near(source_process_id=4), midway)
    assert (row["source_address"], row["reporter"], row["observer"]) == ("10.0.1.7", "both", "node1")
    assert (row["source_process_id"], row["destination_process_id"]) == (4, 9)


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": 17},
        {"zone": 3},
        {"destination_port": 81},
        {"destination_address": "10.0.2.9"},
        {"source_port": 4001},
        {"source_address": "10.0.1.9"},
    ],
)
def test_tuples_that_share_a_flow_key_stay_apart(other: dict[str, Any]) -> None:
    reports = [near(), far(), near(connection_id=1, **other), far(connection_id=2, **other)]
    rows = matched(*reports)
    assert sorted(row["flow_id"] for row in rows) == [1, 101]
    assert {row["reporter"] for row in rows} == {"both"}


def test_numbers_that_no_agent_sends_do_no_harm() -> None:
    odd = {"destination_port": -1, "source_port": 2**31 - 1, "protocol": -7, "zone": -1, "flow_key": -(2**63)}
    (row,) = matched(near(connection_id=2**63 - 1, **odd), far(connection_id=-(2**63), **odd))
    assert (row["reporter"], row["destination_port"]) == ("both", -1)


def test_no_rows_have_the_declared_columns() -> None:
    assert dict(match(frame(()), frozenset(), NODE_NAMES).schema) == MATCHED
    assert dict(match(frame([near(source_index=None)]), frozenset(), pl.Series([], dtype=pl.String)).schema) == MATCHED


def test_names_are_those_of_the_initiators_node_the_latest_first() -> None:
    told = near(destination_names=["b.example", "a.example"], application_protocol="")
    (row,) = matched(far(application_protocol="http"), told)
    assert (row["destination_names"], row["application_protocol"]) == ("b.example a.example", "http")
    assert row["is_destination_unnamed"] is False


def test_what_was_told_last_in_a_step_names_the_destination() -> None:
    earlier = near(destination_names=["old.example"], interval_end_ns=5 * SECOND, seen_at_ns=SECOND)
    later = near(destination_names=["new.example"], interval_start_ns=5 * SECOND, sequence=1)
    (row,) = matched(later, earlier)
    assert row["destination_names"] == "new.example"


@pytest.mark.parametrize(("names", "is_unnamed"), [([], True), (["a.example"], False)])
def test_a_destination_is_unnamed_while_nobody_knows_a_name(names: list[str], is_unnamed: bool) -> None:
    (row,) = matched(near(is_destination_unnamed=True), near(sequence=1, destination_names=names))
    assert row["is_destination_unnamed"] is is_unnamed


def test_a_node_that_takes_the_ends_for_each_other_names_nothing() -> None:
    backwards = report(
        2, "source", source_address="10.0.2.8", source_port=80, destination_address="10.0.1.7", destination_port=4000,
        source_index=2, destination_index=1, destination_names=["client.example"], is_destination_unnamed=True,
    )  # fmt: skip
    (row,) = matched(near(), backwards)
    assert (row["source_address"], row["destination_names"], row["is_destination_unnamed"]) == ("10.0.1.7", None, False)
