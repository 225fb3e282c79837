import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.metadata.directory import Directory
from streams.window.aggregate import aggregate
from streams.window.flow import Row
from streams.window.record import window_records
from tests.support.objects import SECOND, deleted, directory_of, service
from tests.unit.streams.window.builders import API, NODE, STAMP, WEB_1, WEB_2, denied, directory, frame, judged

DIRECTORY = directory()
COUNTS = {"started": "is_first", "completed": "is_final"}
SUMS = ("source_bytes", "source_packets", "destination_bytes", "destination_packets")


def groups(*rows: Row, of: Directory = DIRECTORY, **limits: int) -> list[Row]:
    return aggregate(frame(*rows), of, **limits).to_dicts()


def identities(rows: list[Row], of: Directory = DIRECTORY) -> list[str]:
    return [record["id"] for _, record in window_records(aggregate(frame(*rows), of), of, STAMP)]


def test_pods_of_one_workload_are_one_group() -> None:
    (group,) = groups(judged(flow_id=1), judged(flow_id=2, source_index=WEB_2, source_address="10.0.1.8"))
    assert [group[name] for name in SUMS] == [600, 6, 400, 4]
    assert (group["flows"], group["started"], group["active"], group["port"]) == (2, 2, 2, 8080)


def test_a_connection_of_several_steps_is_active_once() -> None:
    (group,) = groups(judged(), judged(is_first=False), judged(is_first=False, is_final=True))
    assert (group["started"], group["completed"], group["active"], group["flows"]) == (1, 1, 1, 3)


@pytest.mark.parametrize(
    "other",
    [
        {"source_index": API}, {"destination_index": NODE}, {"destination_port": 9090}, {"protocol": 17},
        {"action": "failed"}, {"policy_verdict": "allow"}, {"destination_address": "fd00::8"},
        {"source_index": None}, {"destination_index": None}, {"direction": "outbound"},
        {"service_index": 0, "dialled_address": "10.96.0.1", "dialled_port": 80},
    ],
)  # fmt: skip
def test_what_tells_two_groups_apart_tells_their_ids_apart(other: Row) -> None:
    assert len(set(identities([judged(), judged(**other)]))) == 2


def test_only_an_address_outside_the_cluster_tells_groups_apart() -> None:
    outside = [judged(source_index=None, source_address=f"198.51.100.{host}") for host in (1, 2)]
    assert len(groups(*outside)) == 2
    assert len(groups(judged(source_address="10.0.1.7"), judged(source_address="10.0.1.70"))) == 1


def test_a_dialled_address_tells_groups_apart_only_as_a_services() -> None:
    dialled: list[dict[str, Any]] = [{"dialled_address": f"198.51.100.{host}", "dialled_port": 80} for host in (1, 2)]
    assert len(groups(*(judged(**facts) for facts in dialled))) == 1
    assert len(groups(*(judged(**facts, service_index=0) for facts in dialled))) == 2


def test_two_states_of_one_service_are_one_group() -> None:
    wider = service("api", "10.96.0.1", "203.0.113.9", node_port=30080, observed=90)
    cluster = directory(wider)
    indices = [index for index, of in enumerate(cluster.services) if of.name == "api"]
    assert len(indices) == 2
    rows = [judged(service_index=index, dialled_address="10.96.0.1", dialled_port=80) for index in indices]
    (group,) = groups(*rows, of=cluster)
    assert group["source_bytes"] == 600


def test_a_service_made_again_under_its_name_is_one_group() -> None:
    first = service("db", "10.96.0.5", uid="first")
    again = service("db", "10.96.0.5", uid="second", created=90, observed=90)
    cluster = directory(first, deleted(first, at=80), again)
    indices = [index for index, of in enumerate(cluster.services) if of.name == "db"]
    rows = [judged(service_index=index, dialled_address="10.96.0.5", dialled_port=80) for index in indices]
    assert len(identities(rows, cluster)) == 1


def test_denials_and_failures_are_counted_once_a_connection() -> None:
    first, again = denied(is_final=False), denied(is_first=False)
    dead = judged(action="failed", is_final=True, flow_id=9)
    counted = {group["action"]: (group["denied"], group["failed"]) for group in groups(first, again, dead)}
    assert counted == {"denied": (1, 0), "failed": (0, 1)}


def test_lists_are_the_union_without_repetition() -> None:
    (group,) = groups(
        judged(ingress_policies=["b", "a"], evidence=["confirmed", "unreplied"]),
        judged(ingress_policies=["c", "a"]),
        judged(),
    )
    assert group["ingress_policies"] == ["a", "b", "c"]
    assert group["evidence"] == ["confirmed", "unreplied"]
    assert group["denied_by"] == []


def test_the_rule_told_is_one_that_there_is() -> None:
    rules = [
        {"rule_name": "shop/a", "rule_id": "9", "rule_ruleset": "NetworkPolicy", "rule_uuid": "9f"},
        {"rule_name": "shop/b", "rule_id": "-1", "rule_ruleset": "AdminNetworkPolicy", "rule_uuid": "00"},
    ]
    for rows in (rules, rules[::-1]):
        (group,) = groups(*(denied(**rule) for rule in rows))
        assert {name: group[name] for name in rules[0]} == rules[0]


def test_a_row_without_a_rule_hides_no_rule() -> None:
    (group,) = groups(judged(policy_verdict="allow"), judged(policy_verdict="allow", rule_name="shop/a", rule_id="0"))
    assert (group["rule_name"], group["rule_id"]) == ("shop/a", "0")


def test_the_worst_coverage_is_told() -> None:
    coverages = ("complete", "blind", "lossy")
    (record,) = (
        record
        for _, record in window_records(
            aggregate(frame(*(judged(coverage=name) for name in coverages)), DIRECTORY), DIRECTORY, STAMP
        )
    )
    assert record["flow"]["coverage"] == "blind"


def test_round_trip_times_are_quantiles_of_those_that_are_known() -> None:
    (group,) = groups(*(judged(tcp_rtt_us=rtt, tcp_retransmits=1) for rtt in (None, *range(101))))
    assert (group["rtt_p50_us"], group["rtt_p95_us"], group["rtt_max_us"]) == (50, 95, 100)
    assert group["tcp_retransmits"] == 102


def test_ports_that_somebody_scans_do_not_make_groups_without_end() -> None:
    scan = [judged(flow_id=port, destination_port=port, is_first=False) for port in range(1, 200)]
    usual = [judged(flow_id=1000 + flow, destination_port=443) for flow in range(5)]
    found = groups(*scan, *usual, maximum_groups=20)
    assert len(found) <= 20
    assert sum(group["source_bytes"] for group in found) == 300 * 204
    assert [group["flows"] for group in found if group["port"] == 443] == [5]
    assert [group["port"] for group in found][-1] is None


def test_a_cluster_of_which_nothing_is_known_has_groups_too() -> None:
    (group,) = groups(judged(source_index=None, destination_index=None), of=directory_of())
    assert (group["source_outside"], group["destination_outside"]) == ("10.0.1.7", "10.0.2.8")


def test_no_rows_are_no_groups() -> None:
    assert groups() == []
    assert aggregate(frame(), directory_of()).height == 0
    assert aggregate(frame(), DIRECTORY).schema == aggregate(frame(judged()), DIRECTORY).schema


ROWS = st.builds(
    judged,
    flow_id=st.integers(0, 5),
    source_index=st.sampled_from([None, NODE, WEB_1, WEB_2, API]),
    destination_index=st.sampled_from([None, WEB_1, API]),
    source_address=st.sampled_from(["10.0.1.7", "198.51.100.1", "fd00::7"]),
    destination_address=st.sampled_from(["10.0.2.8", "198.51.100.2", "fd00::8"]),
    destination_port=st.integers(0, 12),
    protocol=st.sampled_from([6, 17, 132, 1]),
    service_index=st.sampled_from([None, 0]),
    dialled_address=st.sampled_from([None, "10.96.0.1"]),
    dialled_port=st.sampled_from([None, 80]),
    action=st.sampled_from(["allowed", "denied", "failed"]),
    coverage=st.sampled_from(["complete", "lossy", "blind"]),
    is_first=st.booleans(),
    is_final=st.booleans(),
    source_bytes=st.integers(0, 2**40),
    source_packets=st.integers(0, 2**20),
    destination_bytes=st.integers(0, 2**40),
    destination_packets=st.integers(0, 2**20),
    rule_name=st.sampled_from([None, "shop/a", "shop/b"]),
    reason=st.sampled_from([None, "no answer", "isolated"]),
    seen_at_ns=st.just(69 * SECOND),
)


@settings(max_examples=40)
@given(st.lists(ROWS, max_size=25), st.sampled_from([4, 10, 1000]))
def test_sums_over_groups_are_sums_over_rows_under_any_cap(rows: list[Row], maximum_groups: int) -> None:
    found = groups(*rows, maximum_groups=maximum_groups)
    for name in SUMS:
        assert sum(group[name] for group in found) == sum(row[name] for row in rows)
    for count, flag in COUNTS.items():
        assert sum(group[count] for group in found) == sum(row[flag] for row in rows)
    assert sum(group["flows"] for group in found) == len(rows)
    assert sum(g["denied"] for g in found) == sum(r["is_first"] and r["action"] == "denied" for r in rows)
    assert sum(g["failed"] for g in found) == sum(r["is_final"] and r["action"] == "failed" for r in rows)


@settings(max_examples=40)
@given(st.lists(ROWS, max_size=25), st.randoms(use_true_random=False), st.sampled_from([6, 1000]))
def test_groups_do_not_depend_on_the_order_of_rows(
    rows: list[Row], shuffle: random.Random, maximum_groups: int
) -> None:
    expected = aggregate(frame(*rows), DIRECTORY, maximum_groups)
    shuffle.shuffle(rows)
    assert aggregate(frame(*rows), DIRECTORY, maximum_groups).equals(expected)


@settings(max_examples=40)
@given(st.lists(ROWS, max_size=25), st.sampled_from([6, 1000]))
def test_every_group_has_an_id_of_its_own(rows: list[Row], maximum_groups: int) -> None:
    found = aggregate(frame(*rows), DIRECTORY, maximum_groups)
    records = [record["id"] for _, record in window_records(found, DIRECTORY, STAMP)]
    assert len(set(records)) == found.height


def test_ids_do_not_depend_on_how_the_directory_numbers() -> None:
    row = judged(service_index=0, dialled_address="10.96.0.1", dialled_port=80)
    other = directory(service("aa", "10.96.0.9"))
    assert identities([row]) == identities([row], other)
    assert pl.Series(identities([row])).n_unique() == 1
