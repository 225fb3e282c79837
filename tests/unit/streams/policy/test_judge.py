from typing import Any

import polars as pl
import pytest

from streams.policy.judge import judge
from tests.unit.streams.policy.builders import SECOND, START, Endpoints, matched, pod, policy_object, port, timeline

WEB, DB = pod("web", address="10.0.0.1"), pod("db", address="10.0.0.2")
ENDS = Endpoints([WEB, DB])
DENY_DB = policy_object({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]}, "deny-db")
DENY_WEB = policy_object({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]}, "deny-web")
ALLOW_DB = policy_object({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{}]}, "allow-db")
BROKEN_DB = policy_object({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": [{"x": 1}]}]}, "broken")

ATTEMPT = {"is_attempt": True, "seen_reply": False, "evidence": ["attempt"], "end_reason": "denied", "is_final": True}
SILENT = {"seen_reply": False}


def judged(policy: Any = None, **row: Any) -> dict[str, Any]:
    known = timeline() if policy is None else timeline(policy)
    return judge(matched(row), ENDS, known).to_dicts()[0]


def test_an_attempt_that_a_policy_denies_is_denied_by_it() -> None:
    row = judged(DENY_DB, **ATTEMPT)
    assert (row["action"], row["policy_verdict"], row["drift"]) == ("denied", "deny", False)
    assert row["denied_by"] == row["ingress_policies"] == ["NetworkPolicy:shop/deny-db:rule=-1:deny"]
    assert row["egress_policies"] == []
    assert row["evidence"] == ["attempt", "evaluation"]
    assert row["reason"] == "ingress isolated by NetworkPolicy shop/deny-db, none of whose rules allows it"
    assert {name: row[f"rule_{name}"] for name in ("name", "id", "ruleset", "category", "uuid")} == {
        "name": "shop/deny-db",
        "id": "",
        "ruleset": "NetworkPolicy",
        "category": "ingress",
        "uuid": "uid-deny-db",
    }


def test_both_directions_that_deny_are_named_and_egress_decides() -> None:
    row = judge(matched(ATTEMPT), ENDS, timeline(DENY_DB, DENY_WEB)).to_dicts()[0]
    assert row["denied_by"] == ["NetworkPolicy:shop/deny-web:rule=-1:deny", "NetworkPolicy:shop/deny-db:rule=-1:deny"]
    assert (row["rule_name"], row["rule_category"]) == ("shop/deny-web", "egress")


def test_an_attempt_that_the_policies_allow_is_denied_against_them() -> None:
    row = judged(ALLOW_DB, **ATTEMPT)
    assert (row["action"], row["policy_verdict"], row["drift"]) == ("denied", "allow", True)
    assert row["denied_by"] == []
    assert row["evidence"] == ["attempt"]
    assert row["reason"] == "dropped or rejected on the node, though ingress allowed by NetworkPolicy shop/allow-db"


def test_an_attempt_that_no_policy_explains_failed() -> None:
    row = judged(None, **ATTEMPT)
    assert (row["action"], row["policy_verdict"], row["drift"]) == ("failed", "none", False)
    assert "no policy explains it" in row["reason"]
    assert row["rule_name"] is None


def test_an_attempt_under_a_policy_that_is_not_understood_failed_and_names_it() -> None:
    row = judged(BROKEN_DB, **ATTEMPT)
    assert (row["action"], row["policy_verdict"], row["drift"]) == ("failed", "unknown", False)
    assert "shop/broken" in row["reason"]
    assert row["ingress_policies"] == ["NetworkPolicy:shop/broken:rule=0:unknown"]


def test_a_dialled_service_without_endpoints_is_named_as_the_reason() -> None:
    service = {"service_index": 3, "dialled_address": "10.96.0.1", "destination_address": "10.96.0.1"}
    row = judged(None, **ATTEMPT, **service, destination_index=None)
    assert row["action"] == "failed"
    assert row["reason"] == "no policy explains it: the Service dialled has no endpoint to answer"


def test_a_silent_connection_that_a_policy_denies_is_denied() -> None:
    row = judged(DENY_DB, **SILENT)
    assert (row["action"], row["drift"]) == ("denied", False)
    assert row["evidence"] == ["confirmed", "unreplied", "evaluation"]
    assert row["denied_by"] == ["NetworkPolicy:shop/deny-db:rule=-1:deny"]
    assert row["reason"].startswith("no answer; ingress isolated by")


def test_evidence_that_is_there_already_is_not_repeated() -> None:
    row = judged(DENY_DB, **SILENT, evidence=["confirmed", "unreplied"])
    assert row["evidence"] == ["confirmed", "unreplied", "evaluation"]


@pytest.mark.parametrize("policy", [None, ALLOW_DB, BROKEN_DB])
@pytest.mark.parametrize(
    ("end_reason", "reason"), [("reset", "refused: reset by the destination"), ("timeout", "no answer")]
)
def test_a_silent_tcp_connection_that_died_without_a_denial_failed(policy: Any, end_reason: str, reason: str) -> None:
    row = judged(policy, **SILENT, is_final=True, end_reason=end_reason)
    assert (row["action"], row["reason"], row["drift"], row["denied_by"]) == ("failed", reason, False, [])
    assert row["evidence"] == ["confirmed"]


@pytest.mark.parametrize(
    "row",
    [
        {"protocol": 6},
        {"protocol": 17, "is_final": True, "end_reason": "timeout"},
        {"protocol": 1, "destination_port": 0, "is_final": True, "end_reason": "timeout"},
    ],
)
def test_silence_that_is_young_or_not_tcp_is_allowed(row: dict[str, Any]) -> None:
    assert judged(None, **SILENT, **row)["action"] == "allowed"


def test_an_answer_against_the_policies_is_allowed_with_drift() -> None:
    row = judged(DENY_DB)
    assert (row["action"], row["policy_verdict"], row["drift"]) == ("allowed", "deny", True)
    assert row["denied_by"] == ["NetworkPolicy:shop/deny-db:rule=-1:deny"]
    assert row["evidence"] == ["confirmed"]
    assert row["reason"].startswith("went through, though ingress isolated by")


def test_an_answered_ping_is_no_drift_since_network_policy_is_not_defined_for_it() -> None:
    row = judged(DENY_DB, protocol=1, destination_port=0)
    assert (row["action"], row["policy_verdict"], row["drift"], row["denied_by"]) == ("allowed", "deny", False, [])


def test_an_answered_connection_that_is_allowed_names_the_rule() -> None:
    row = judged(ALLOW_DB)
    assert (row["action"], row["policy_verdict"], row["drift"], row["reason"]) == ("allowed", "allow", False, None)
    assert row["ingress_policies"] == ["NetworkPolicy:shop/allow-db:rule=0:allow"]
    assert (row["rule_name"], row["rule_id"], row["rule_category"]) == ("shop/allow-db", "0", "ingress")
    assert row["denied_by"] == []


def test_an_attempt_that_was_answered_all_the_same_went_through() -> None:
    row = judged(ALLOW_DB, is_attempt=True, evidence=["attempt", "confirmed"])
    assert (row["action"], row["drift"], row["reason"]) == ("allowed", False, None)


@pytest.mark.parametrize("policy", [None, BROKEN_DB])
def test_any_other_answered_connection_is_allowed(policy: Any) -> None:
    row = judged(policy)
    assert (row["action"], row["drift"], row["rule_name"]) == ("allowed", False, None)


def _at(seconds: float, **row: Any) -> dict[str, Any]:
    return {"started_at_ns": START + int(seconds * SECOND), **row}


def test_a_connection_is_judged_by_the_policies_of_its_start() -> None:
    later = policy_object(DENY_DB.spec, "deny-db", observed_at_ns=START + 5 * SECOND)
    rows = matched(_at(0), _at(5, **ATTEMPT), _at(1), _at(9), _at(9, **ATTEMPT))
    result = judge(rows, ENDS, timeline(later))
    assert result["policy_verdict"].to_list() == ["none", "deny", "none", "deny", "deny"]
    assert result["drift"].to_list() == [False, False, False, True, False]


def test_close_to_a_change_what_happened_tells_which_policies_were_enforced() -> None:
    made = timeline(policy_object(DENY_DB.spec, "deny-db", observed_at_ns=START))
    gone = timeline(policy_object(DENY_DB.spec, "deny-db", observed_at_ns=1, deleted_at_ns=START))

    def seen(known: Any, *rows: dict[str, Any]) -> list[tuple[str, str, bool]]:
        result = judge(matched(*rows), ENDS, known)
        return result.select("policy_verdict", "action", "drift").rows()

    denied, allowed = ("deny", "denied", False), ("none", "allowed", False)
    assert seen(made, _at(1), _at(1, **ATTEMPT), _at(-1), _at(-1, **ATTEMPT)) == [allowed, denied, allowed, denied]
    assert seen(gone, _at(1), _at(1, **ATTEMPT), _at(-1), _at(-1, **ATTEMPT)) == [allowed, denied, allowed, denied]
    assert seen(made, _at(3), _at(-3, **ATTEMPT)) == [("deny", "allowed", True), ("none", "failed", False)]


def test_rows_keep_their_order_and_other_columns() -> None:
    rows = matched(*({"destination_port": number % 5, "source_bytes": number} for number in range(50)))
    result = judge(rows, ENDS, timeline(ALLOW_DB))
    assert result.select(rows.columns).equals(rows)


def test_no_rows_give_no_rows_with_all_columns() -> None:
    empty, full = judge(matched(), ENDS, timeline(DENY_DB)), judge(matched({}), ENDS, timeline(DENY_DB))
    assert empty.is_empty()
    assert empty.schema == full.schema


def test_outside_addresses_are_judged_by_the_blocks_that_hold_them() -> None:
    spec = {
        "podSelector": {},
        "ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}}]}],
    }
    addresses = ["192.0.2.1", "192.0.2.127", "192.0.2.128", "192.0.3.0", "192.0.1.255", "2001:db8::1", "not an address"]
    rows = matched(*({"source_index": None, "source_address": address} for address in addresses))
    result = judge(rows, ENDS, timeline(policy_object(spec)))
    assert result["policy_verdict"].to_list() == ["allow", "allow", "deny", "deny", "deny", "deny", "deny"]


def test_a_scan_of_addresses_and_ports_is_not_evaluated_anew_each_time() -> None:
    spec = {
        "podSelector": {},
        "ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 80, "endPort": 90}]}],
    }
    known = timeline(policy_object(spec))
    scan = [
        {"source_index": None, "source_address": f"198.51.{a}.{b}", "destination_port": 1 + 250 * a + b}
        for a in range(20)
        for b in range(250)
    ]
    result = judge(matched(*scan), ENDS, known)
    assert result["policy_verdict"].unique().to_list() == ["deny"]
    assert known.verdicts.evaluations <= 3


def test_an_index_that_comes_to_mean_another_pod_gets_its_verdict() -> None:
    known = timeline(DENY_DB)
    first = judge(matched({}), Endpoints([WEB, DB]), known)
    second = judge(matched({}), Endpoints([DB, WEB]), known)
    assert first["policy_verdict"].to_list() == ["deny"]
    assert second["policy_verdict"].to_list() == ["none"]


def test_the_verdict_of_a_staged_policy_is_pending_only() -> None:
    staged = policy_object(DENY_DB.spec, "next", annotations={"conntrail.io/staged": "true"})
    row = judged(staged)
    assert (row["policy_verdict"], row["action"], row["ingress_policies"]) == ("none", "allowed", [])
    assert row["pending"] == ["NetworkPolicy:shop/next:rule=-1:deny"]
    assert judged(ALLOW_DB)["pending"] == []


def test_columns_have_the_declared_types() -> None:
    schema = judge(matched({}), ENDS, timeline(DENY_DB)).schema
    lists = ["ingress_policies", "egress_policies", "denied_by", "pending", "evidence"]
    assert all(schema[name] == pl.List(pl.String) for name in lists)
    texts = ["action", "reason", "policy_verdict", "rule_name", "rule_id", "rule_ruleset", "rule_category", "rule_uuid"]
    assert all(schema[name] == pl.String for name in texts)
    assert schema["drift"] == pl.Boolean


def _verdicts(ends: list[Any], policy: Any, *rows: tuple[int, int, int]) -> list[str]:
    def row(source: int, destination: int, number: int) -> dict[str, Any]:
        return {
            "source_index": source,
            "source_address": ends[source].addresses[0],
            "destination_index": destination,
            "destination_address": ends[destination].addresses[0],
            "destination_port": number,
        }

    return judge(matched(*(row(*item) for item in rows)), Endpoints(ends), timeline(policy))["policy_verdict"].to_list()


def test_a_pod_that_talks_to_itself_is_told_from_its_twin() -> None:
    twins = [pod(name, address=address, labels={}) for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.2"))]
    isolated = policy_object({"policyTypes": ["Ingress", "Egress"]})
    assert _verdicts(twins, isolated, (0, 1, 80), (0, 0, 80), (1, 1, 80), (1, 0, 80)) == [
        "deny",
        "none",
        "none",
        "deny",
    ]


def test_a_pods_own_node_is_told_from_another_by_pods_on_the_hosts_network() -> None:
    near, far = (
        pod(f"h{n}", address=f"192.168.0.{n}", labels={}, host_network=True, node_name=f"n{n}") for n in (1, 2)
    )
    ends = [near, far, pod("db", address="10.0.0.1", node_name="n1")]
    assert _verdicts(ends, policy_object({}), (1, 2, 80), (0, 2, 80), (1, 2, 80)) == ["deny", "none", "deny"]


def test_pods_that_name_ports_differently_are_told_apart() -> None:
    ends = [
        pod("web", address="10.0.0.1", labels={}),
        pod("a", address="10.0.0.2", labels={}, ports=(port("sql", 5000),)),
        pod("b", address="10.0.0.3", labels={}, ports=(port("sql", 5001),)),
        pod("c", address="10.0.0.4", labels={}, ports=(port("other", 5001),)),
    ]
    nobody = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    named = policy_object({"ingress": [{"ports": [{"port": "sql"}]}, {"from": nobody, "ports": [{"port": "other"}]}]})
    rows = [(0, destination, number) for destination in (1, 2, 3) for number in (5000, 5001)]
    assert _verdicts(ends, named, *rows) == ["allow", "deny", "deny", "allow", "deny", "deny"]
