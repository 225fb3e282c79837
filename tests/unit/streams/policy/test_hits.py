from typing import Any

from streams.policy.hits import HITS, hits
from streams.policy.judge import judge
from tests.unit.streams.policy.builders import SECOND, START, Endpoints, matched, pod, policy_object, timeline

ENDS = Endpoints([pod("web", address="10.0.0.1"), pod("db", address="10.0.0.2")])
ALLOW_80 = policy_object({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}, "allow-80")
DENY = policy_object({"podSelector": {}}, "deny")


def test_each_rule_counts_what_it_decided() -> None:
    known = timeline(ALLOW_80, DENY)
    rows = matched(
        {},
        {"started_at_ns": START + SECOND, "seen_at_ns": START + 3 * SECOND},
        {"is_first": False, "seen_at_ns": START + 9 * SECOND},
        {"destination_port": 81, "seen_reply": False, "is_attempt": True, "destination_bytes": 0},
    )
    table = hits(judge(rows, ENDS, known), known).rows(named=True)
    denied = {"rule": -1, "action": "deny", "flows": 1, "connections": 1, "bytes": 100, "packets": 3} | {
        "allowed": 0,
        "denied": 1,
        "last_seen_ns": START + SECOND,
    }
    allowed = {"rule": 0, "action": "allow", "flows": 3, "connections": 2, "bytes": 450, "packets": 9} | {
        "allowed": 2,
        "denied": 0,
        "last_seen_ns": START + 9 * SECOND,
    }
    assert table == [_hit("allow-80", **denied), _hit("allow-80", **allowed), _hit("deny", **denied)]


def _hit(name: str, **figures: Any) -> dict[str, Any]:
    of_all = {"kind": "NetworkPolicy", "namespace": "shop", "name": name, "uid": f"uid-{name}", "tier": ""}
    return {**of_all, "direction": "ingress", "first_seen_ns": START, **figures}


def test_no_rows_and_rows_without_policies_give_no_hits() -> None:
    for rows in (matched(), matched({})):
        table = hits(judge(rows, ENDS, timeline()), timeline())
        assert table.is_empty()
        assert dict(table.schema) == HITS


def test_a_policy_that_is_not_understood_decided_nothing() -> None:
    known = timeline(policy_object("text", "broken"))
    assert hits(judge(matched({}), ENDS, known), known).is_empty()
