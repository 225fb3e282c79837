"""What a report says of a day's windows, hits, changes and nodes."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conntrail.report.evidence.build import due_at
from conntrail.report.evidence.canonical import canonical
from conntrail.report.fact.traffic import OTHERS, TrafficBook, traffic_of
from conntrail.report.render.json_file import json_file
from tests.unit.conntrail.report.builders import (
    API,
    DB_POLICY,
    FINAL_AT_MS,
    PERIOD,
    WEB,
    WINDOWS_OF_THE_DAY,
    Record,
    facts_of,
    report_of,
    window,
)


def rows(section: str, **wanted: Any) -> list[dict[str, Any]]:
    found = report_of().rows[section]
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


def test_windows_of_a_pair_add_up() -> None:
    (row,) = rows("traffic", source="shop/web", destination="shop/api")
    assert (row["connections"], row["bytes"], row["protocol"], row["port"]) == (7, 5100, "TCP", 8080)
    assert row["ingress_policies"] == ["NetworkPolicy:shop/api:rule=0:allow"]
    assert row["first_seen"] < row["last_seen"]


def test_a_denial_names_who_denied_and_why_and_is_no_traffic() -> None:
    (row,) = rows("denials")
    assert (row["source"], row["destination"], row["connections"]) == ("lab/intruder", "data/postgres", 3)
    assert row["denied_by"] == [DB_POLICY]
    assert row["reasons"] == ["default deny, no matching ingress rule"]
    assert rows("traffic", source="lab/intruder", destination="data/postgres") == []


def test_what_contradicts_the_policies_stands_apart() -> None:
    (row,) = rows("drift")
    assert (row["source"], row["destination"], row["outcome"], row["verdict"]) == (
        "lab/intruder", "shop/api", "allowed", "deny",
    )  # fmt: skip


def test_a_workload_is_unprotected_where_traffic_went_through_without_a_policy() -> None:
    (row,) = rows("unprotected", workload="shop/web", direction="ingress")
    assert (row["protection"], row["connections"], row["is_outside"], row["peers"]) == (
        "open", 10, True, ["lab/intruder"],
    )  # fmt: skip
    assert rows("unprotected", workload="data/postgres") == []


def test_workloads_tell_their_borders() -> None:
    (api,) = rows("workloads", workload="shop/api")
    assert (api["ingress"], api["egress"], api["from_outside"], api["to_outside"]) == ("protected", "open", False, True)
    assert (api["from_namespaces"], api["to_namespaces"]) == (["lab"], ["data"])
    (intruder,) = rows("workloads", workload="lab/intruder")
    assert (intruder["denied"], intruder["ingress"]) == (3, "unseen")


def test_a_namespaces_report_has_its_own_workloads_alone() -> None:
    found = report_of(facts_of(namespace="data"))
    assert [row["workload"] for row in found.rows["workloads"]] == ["data/postgres"]


def test_policies_tell_what_each_rule_decided() -> None:
    (api,) = rows("policies", policy="shop/api")
    assert (api["rule"], api["action"], api["connections"], api["allowed"], api["denied"]) == (0, "allow", 4, 4, 0)


def test_changes_have_their_authors_and_refused_requests_are_counted() -> None:
    (row,) = rows("changes")
    assert (row["object"], row["action"], row["by"]) == ("shop/web", "created", "alice")
    (asked,) = rows("requests")
    assert (asked["user"], asked["verb"], asked["object"], asked["status"]) == ("mallory", "delete", "shop/deny", 403)
    assert report_of().summary["requests_refused"] == 1


def test_what_was_not_seen_is_told_first() -> None:
    found = report_of()
    assert found.completeness["level"] == "silent"
    assert found.completeness["node_seconds"] == {"complete": 13790, "lossy": 10, "blind": 0, "silent": 600}
    assert [(row["node"], row["sight"], row["lost"]) for row in found.rows["unseen"]] == [
        ("node1", "lossy", ["attempts_cut=3"]),
        ("node2", "silent", []),
    ]
    assert (found.completeness["windows"]["lossy"], found.completeness["undecided_windows"]) == (1, 1)


def test_without_a_word_of_any_node_nothing_is_called_complete() -> None:
    facts = facts_of([])
    facts.coverage.nodes = 0
    assert report_of(facts).completeness["level"] == "unknown"


def test_a_day_that_can_still_change_says_so() -> None:
    early = report_of(now_ms=FINAL_AT_MS - 1).document()["status"]
    assert early == {"state": "provisional", "final_at": "2026-11-24T19:32:00.123Z", "revision": 0}
    assert report_of().document()["status"]["state"] == "final"


def test_what_is_final_is_due_whatever_the_clock_says() -> None:
    assert due_at(PERIOD, FINAL_AT_MS, FINAL_AT_MS) == PERIOD.until_ms
    assert due_at(PERIOD, PERIOD.until_ms, PERIOD.until_ms) == PERIOD.until_ms
    assert due_at(PERIOD, FINAL_AT_MS, PERIOD.until_ms) == PERIOD.until_ms - 300_000


def test_the_time_at_which_a_final_report_is_made_changes_no_byte() -> None:
    assert json_file(report_of()).content == json_file(report_of(now_ms=FINAL_AT_MS + 10**9)).content


@settings(max_examples=30)
@given(st.randoms(use_true_random=False))
def test_documents_in_any_order_make_the_same_bytes(random: Random) -> None:
    shuffled = list(WINDOWS_OF_THE_DAY)
    random.shuffle(shuffled)
    assert json_file(report_of(facts_of(shuffled))).content == json_file(report_of()).content


def test_the_json_file_is_the_canonical_text_of_the_document() -> None:
    found = report_of()
    assert json_file(found).content == canonical(found.document())


def flood() -> list[Record]:
    """Someone outside knocks at many ports from many addresses."""
    return [window(f"203.0.113.{number}", WEB, 1000 + number, action="denied") for number in range(40)]


def test_a_flood_of_addresses_and_ports_is_folded_and_no_sum_is_lost() -> None:
    book = TrafficBook(maximum_pairs=2, maximum_details=4)
    for document in [*flood(), window(WEB, API, 8080, started=5)]:
        book.add(traffic_of(document))
    denied = [row for row in book.rows() if row.outcome.action == "denied"]
    assert len(denied) == 5
    assert sum(row.figures.connections for row in denied) == 40
    assert denied[-1].key.source.address == OTHERS
    (allowed,) = [row for row in book.rows() if row.outcome.action == "allowed"]
    assert allowed.figures.connections == 5


def test_pairs_that_there_is_no_room_for_are_one_row_and_the_report_says_so() -> None:
    book = TrafficBook(maximum_pairs=1, maximum_details=4)
    for document in WINDOWS_OF_THE_DAY:
        book.add(traffic_of(document))
    whole, cut = TrafficBook(), list(book.rows())
    for document in WINDOWS_OF_THE_DAY:
        whole.add(traffic_of(document))
    assert sum(row.figures.connections for row in cut) == sum(row.figures.connections for row in whole.rows())
    assert any(row.key.source.name == OTHERS for row in cut)
    facts = facts_of()
    facts.traffic = book
    assert report_of(facts).completeness["folded_ends"] is True
