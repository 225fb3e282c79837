"""Every record fits its schema, whatever the row; what it says is what the row says."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.metadata.directory import Directory
from streams.policy.hits import HITS
from streams.result.deadletter import Refused, dead_letter
from streams.window.aggregate import aggregate
from streams.window.flow import Row, Stamp, flow_records
from streams.window.record import hit_records, window_records
from tests.support.objects import SECOND, directory_of
from tests.unit.streams.window.builders import (
    API,
    NODE,
    STAMP,
    WEB_1,
    denied,
    directory,
    frame,
    judged,
    through_avro,
)

DIRECTORY = directory()
OUTSIDE: Row = {"source_index": None, "source_address": "198.51.100.9", "direction": "inbound"}


def flow(row: Row, of: Directory = DIRECTORY, stamp: Stamp = STAMP) -> Row:
    ((_, record),) = flow_records(frame(row), of, stamp)
    assert through_avro("flow", record) == record
    return record


def window(*rows: Row, of: Directory = DIRECTORY, stamp: Stamp = STAMP) -> Row:
    ((_, record),) = window_records(aggregate(frame(*rows), of), of, stamp)
    assert through_avro("window", record) == record
    return record


ODD_ROWS = [
    judged(),
    denied(),
    judged(**OUTSIDE),
    judged(source_index=None, destination_index=None, direction="external", destination_address="2001:db8::1"),
    judged(source_address="fd00::7", destination_address="fd00::8"),
    judged(source_index=NODE, source_address="192.168.0.1"),
    judged(protocol=1, icmp_type=8, icmp_code=0, source_port=0, destination_port=0, state=""),
    judged(protocol=58, icmp_type=128, icmp_code=0, source_port=0, destination_port=0, destination_address="fd00::8"),
    judged(protocol=1, source_port=0, destination_port=0),
    judged(protocol=132), judged(protocol=47), judged(protocol=0), judged(protocol=255),
    judged(service_index=0, dialled_address="10.96.0.1", dialled_port=80),
    judged(service_index=0, destination_index=None, destination_address="10.96.0.1", destination_port=80),
    judged(nat_address="192.168.0.1", nat_port=61000),
    judged(source_process_id=7), judged(destination_process_id=7, destination_process_name="nginx"),
    judged(tcp_rtt_us=120, tcp_rtt_var_us=9, tcp_retransmits=0, tcp_lost=0, tcp_delivery_rate=2**40),
    judged(source_bytes=2**62, destination_bytes=2**61),
    judged(flow_id=-1), judged(flow_id=-(2**63)),
    judged(reason="…\x1b[31m", observers=["node1", "node2", "node3"], evidence=[]),
]  # fmt: skip


@pytest.mark.parametrize("row", ODD_ROWS)
def test_every_row_makes_records_that_fit_their_schemas(row: Row) -> None:
    record, group = flow(row), window(row)
    for end in ("source", "destination"):
        assert record[end]["bytes"] == group[end]["bytes"] == row[f"{end}_bytes"]
    assert record["network"]["bytes"] == group["network"]["bytes"] == row["source_bytes"] + row["destination_bytes"]
    assert record["flow"]["connections"] == group["flow"]["connections"]


def test_keys_name_the_source() -> None:
    sources: list[Row] = [{}, {"source_index": NODE}, OUTSIDE]
    keys = [key for key, _ in flow_records(frame(*(judged(**facts) for facts in sources)), DIRECTORY, STAMP)]
    assert keys == ["shop/Deployment/web", "/Node/node1", "198.51.100.9"]
    groups = aggregate(frame(*(judged(**facts) for facts in sources)), DIRECTORY)
    assert {key for key, _ in window_records(groups, DIRECTORY, STAMP)} == set(keys)


def test_ends_are_called_what_kubernetes_calls_them() -> None:
    record = flow(judged(source_index=NODE, source_address="192.168.0.1"))
    assert record["source"]["kubernetes"] == {
        "namespace": None, "pod": None, "workload": {"kind": "Node", "name": "node1"}, "node": {"name": "node1"},
        "service": None, "labels": {},
    }  # fmt: skip
    assert record["destination"]["kubernetes"] == {
        "namespace": "shop", "pod": {"name": "api-1", "uid": "uid-api-1"},
        "workload": {"kind": "Deployment", "name": "api"}, "node": {"name": "node2"}, "service": {"name": "api"},
        "labels": {},
    }  # fmt: skip
    assert flow(judged(**OUTSIDE))["source"]["kubernetes"] is None


def test_a_destination_outside_bears_the_name_that_was_looked_up_last() -> None:
    outside = {"destination_index": None, "destination_address": "203.0.113.9", "direction": "outbound"}
    named = flow(judged(**outside, destination_names="b.example a.example", application_protocol="tls"))
    assert (named["destination"]["domain"], named["destination"]["unnamed"]) == ("b.example", False)
    assert named["network"]["protocol"] == "tls"


@pytest.mark.parametrize(("direction", "is_unnamed"), [("outbound", True), ("internal", False)])
def test_only_what_is_outside_can_lack_a_name(direction: str, is_unnamed: bool) -> None:
    record = flow(judged(direction=direction, is_destination_unnamed=True))
    assert (record["destination"]["domain"], record["destination"]["unnamed"]) == (None, is_unnamed)


def test_a_window_tells_the_workload_and_no_pod() -> None:
    group = window(judged(), judged(flow_id=2))
    assert group["source"]["kubernetes"]["pod"] is None
    assert group["source"]["kubernetes"]["workload"] == {"kind": "Deployment", "name": "web"}
    assert (group["source"]["ip"], group["source"]["port"], group["destination"]["port"]) == ("", 0, 8080)
    assert group["network"]["community_id"] is None


@pytest.mark.parametrize(
    "facts",
    [
        {"dialled_address": "10.96.0.1", "dialled_port": 80},
        {"destination_index": None, "destination_address": "10.96.0.1", "destination_port": 80},
    ],
    ids=["translated", "without endpoints"],
)
def test_the_service_dialled_is_told_with_what_was_dialled(facts: Row) -> None:
    row = judged(service_index=0, **facts)
    expected = {"name": "api", "namespace": "shop", "ip": "10.96.0.1", "port": 80}
    assert flow(row)["destination"]["service"] == expected
    assert window(row)["destination"]["service"] == expected


def test_a_node_port_that_leads_nowhere_is_told_with_the_nodes_address() -> None:
    row = judged(
        source_index=WEB_1, destination_index=NODE, destination_address="192.168.0.1", destination_port=30080,
        service_index=0,
    )  # fmt: skip
    assert flow(row)["destination"]["service"]["ip"] == "192.168.0.1"
    assert window(row)["destination"]["service"]["port"] == 30080


def test_the_span_lies_within_the_step() -> None:
    stamp = Stamp("test", 0, 1, replaces=False, start_ns=60 * SECOND, end_ns=70 * SECOND)
    times = [(1, 65, None), (1, 1, 2), (65, 99, None), (65, 69, 99), (62, 61, 61), (99, 99, 99), (0, 0, None)]
    for started, seen, ended in times:
        facts = {"started_at_ns": started * SECOND, "seen_at_ns": seen * SECOND}
        event = flow(judged(**facts, is_first=False, ended_at_ns=ended and ended * SECOND), stamp=stamp)["event"]
        assert 60 * SECOND <= event["start_ns"] <= event["end_ns"] <= 70 * SECOND
        assert event["duration_ns"] == event["end_ns"] - event["start_ns"]


def test_a_connection_told_late_has_its_true_start_and_only_its_first_report_has() -> None:
    stamp = Stamp("test", 0, 1, replaces=False, start_ns=60 * SECOND, end_ns=70 * SECOND)
    facts = {"started_at_ns": 41 * SECOND, "seen_at_ns": 65 * SECOND}
    first, later = (flow(judged(**facts, is_first=is_first), stamp=stamp)["event"] for is_first in (True, False))
    assert (first["start_ns"], first["end_ns"], first["duration_ns"]) == (41 * SECOND, 65 * SECOND, 24 * SECOND)
    assert later["start_ns"] == 60 * SECOND


def test_a_first_report_without_a_start_begins_with_its_step() -> None:
    stamp = Stamp("test", 0, 1, replaces=False, start_ns=60 * SECOND, end_ns=70 * SECOND)
    assert flow(judged(started_at_ns=0, is_first=True), stamp=stamp)["event"]["start_ns"] == 60 * SECOND


def test_a_flow_has_one_id_a_step_whatever_its_revision() -> None:
    rows = [judged(flow_id=identity) for identity in (1, -1, 2**63 - 1)]
    ids = [flow(row)["id"] for row in rows]
    later = Stamp("test", 3, 8, replaces=True, start_ns=STAMP.start_ns, end_ns=STAMP.end_ns)
    assert [flow(row, stamp=later)["id"] for row in rows] == ids
    assert ids[1] == f"ffffffffffffffff-{120 * SECOND}"
    assert len({*ids, flow(rows[0], stamp=Stamp("test", 3, 7, False, 0, 60 * SECOND))["id"]}) == 4


@pytest.mark.parametrize("change", [{"cluster": "other"}, {"partition": 4}, {"end_ns": 180 * SECOND}])
def test_a_window_of_another_cluster_partition_or_time_has_another_id(change: dict[str, Any]) -> None:
    facts = {"cluster": "test", "partition": 3, "start_ns": 60 * SECOND, "end_ns": 120 * SECOND}
    ids = [
        window(judged(), stamp=Stamp(revision=revision, replaces=False, **{**facts, **changed}))["id"]
        for revision, changed in ((1, {}), (2, {}), (1, change))
    ]
    assert ids[0] == ids[1] != ids[2]


def test_connections_of_a_flow_add_up_to_those_of_its_window() -> None:
    rows = [denied(), denied(flow_id=2, is_first=False), judged(flow_id=3, action="failed", is_final=True)]
    counts = [flow(row)["flow"]["connections"] for row in rows]
    groups = [record for _, record in window_records(aggregate(frame(*rows), DIRECTORY), DIRECTORY, STAMP)]
    for name in ("started", "completed", "denied", "failed", "active"):
        assert sum(count[name] for count in counts) == sum(g["flow"]["connections"][name] for g in groups)


def test_no_rule_is_told_where_no_policy_decided() -> None:
    assert flow(judged())["rule"] is None
    assert flow(denied())["rule"] == {
        "name": "shop/api", "id": "-1", "ruleset": "NetworkPolicy", "category": "ingress", "uuid": "uid-api",
    }  # fmt: skip
    assert window(denied())["rule"] == flow(denied())["rule"]


def test_only_tcp_has_figures_of_tcp() -> None:
    assert flow(judged(protocol=17))["tcp"] is None
    assert window(judged(protocol=17))["tcp"] is None
    assert window(judged())["tcp"] == {"rtt_us": None, "retransmits": 0, "lost": 0}


def hit(**facts: Any) -> Row:
    blank = {name: "" if kind == pl.String() else 0 for name, kind in HITS.items()}
    return {**blank, "kind": "NetworkPolicy", "namespace": "shop", "name": "api", **facts}


def test_hits_fit_their_schema_and_have_ids_of_their_own() -> None:
    rows = [
        hit(), hit(rule=-1), hit(direction="egress"), hit(action="deny"), hit(tier="baseline"), hit(uid="second"),
        hit(kind="AdminNetworkPolicy", namespace="", bytes=2**50),
    ]  # fmt: skip
    records = list(hit_records(pl.DataFrame(rows, schema=HITS), STAMP))
    assert all(through_avro("policy_hit", record) == record for _, record in records)
    assert len({record["id"] for _, record in records}) == len(rows)
    assert [records[0][0], records[-1][0]] == ["NetworkPolicy/shop/api", "AdminNetworkPolicy//api"]


@pytest.mark.parametrize("value", [None, b"", b"\x00\xff", b"x" * (70 << 10)])
def test_a_dead_letter_fits_its_schema_and_is_bounded(value: bytes | None) -> None:
    refused = Refused("flows", "no container: " + "y" * 5000, "conntrail.flows.raw", 1, 5, value, value)
    record = dead_letter("test", refused, SECOND)
    assert through_avro("dead_letter", record) == record
    assert record["size_bytes"] == len(value or b"")
    assert len(record["value"] or b"") <= 64 << 10
    assert len(record["reason"]) <= 1024


def test_nothing_known_of_the_cluster_makes_records_too() -> None:
    nobody = judged(source_index=None, destination_index=None)
    assert flow(nobody, directory_of())["destination"]["kubernetes"] is None
    assert window(nobody, of=directory_of())["destination"]["ip"] == "10.0.2.8"


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {
            "protocol": st.integers(0, 255),
            "source_port": st.integers(0, 65535),
            "destination_port": st.integers(0, 65535),
            "icmp_type": st.none() | st.integers(0, 255),
            "icmp_code": st.none() | st.integers(0, 255),
            "source_address": st.ip_addresses(v=4).map(str),
            "destination_address": st.ip_addresses().map(str),
            "source_index": st.sampled_from([None, NODE, WEB_1]),
            "destination_index": st.sampled_from([None, NODE, API]),
            "service_index": st.sampled_from([None, 0]),
            "dialled_address": st.none() | st.ip_addresses().map(str),
            "nat_address": st.none() | st.ip_addresses().map(str),
            "ended_at_ns": st.none() | st.integers(0, 2**62),
            "reason": st.none() | st.text(max_size=9),
            "tcp_rtt_us": st.none() | st.integers(0, 2**40),
            "source_process_id": st.none() | st.integers(0, 2**22),
        }
    )
)
def test_any_row_makes_records_that_fit(facts: Row) -> None:
    row = judged(**facts)
    assert flow(row)["network"]["iana_number"] == window(row)["network"]["iana_number"] == row["protocol"]
