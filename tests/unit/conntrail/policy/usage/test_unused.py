"""Policies and rules that could go."""

from typing import Any

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.seen import History, HitKey, RuleHits, Seen, SeenEnd, SeenKey
from conntrail.policy.usage.rows import hit_rows, policy_rows
from conntrail.policy.usage.unused import unused
from tests.unit.conntrail.policy.cluster.builders import pod, policy, snapshot

WEB = SeenEnd("workload", "shop", "ReplicaSet", "web")
DB = SeenEnd("workload", "shop", "ReplicaSet", "db")
FROM_WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
FROM_JOB = {"podSelector": {"matchLabels": {"app": "job"}}}


def cluster(*rules: Any, **more: Any) -> Snapshot:
    spec = {"podSelector": {"matchLabels": {"app": more.pop("app", "db")}}, "ingress": list(rules)}
    return snapshot(
        pod("web-1", "10.0.0.1"), pod("job-1", "10.0.0.3"), pod("db-1", "10.0.0.2"), policy("db", spec, **more)
    )


def history(*ports: int, action: str = "allowed") -> History:
    return History(seen=tuple(Seen(SeenKey(WEB, DB, "TCP", port, action), 3, 3, 30, 0, 9) for port in ports))


def problems(found: Snapshot, past: History) -> list[tuple[str, str, int | None]]:
    return [(finding.policy.name, finding.problem, finding.rule) for finding in unused(found, past, "")]


def test_a_rule_that_all_traffic_uses_is_no_finding() -> None:
    assert problems(cluster({"from": [FROM_WEB], "ports": [{"port": 80}]}), history(80)) == []


def test_a_rule_that_nothing_matched_is_found() -> None:
    assert problems(cluster({"from": [FROM_JOB]}), history(80)) == [("db", "never-matched", 0)]


def test_what_was_denied_is_no_use_of_a_rule() -> None:
    assert problems(cluster({"from": [FROM_WEB]}), history(80, action="denied")) == [("db", "never-matched", 0)]


def test_a_rule_with_hits_counts_as_matched_though_its_traffic_is_no_longer_known() -> None:
    hits = RuleHits(HitKey("NetworkPolicy", "shop", "db", "", "ingress", 0, "allow"), 1, 1, 1, 1, 0, 5, 6)
    assert problems(cluster({"from": [FROM_WEB]}), History(hits=(hits,))) == []


def test_peers_and_ports_that_were_never_used_are_named() -> None:
    rule = {"from": [FROM_WEB, FROM_JOB], "ports": [{"port": 80, "endPort": 90}, {"port": 443}]}
    words = [finding.words for finding in unused(cluster(rule), history(80, 81), "")]
    assert words == [
        "from pods with app=job in namespace shop was never used",
        "of TCP 80-90 only 80, 81 was used",
        "TCP 443 was never used",
    ]


def test_a_rule_that_a_wider_one_covers_is_shadowed_and_of_two_alike_the_later_one() -> None:
    narrow, wide = {"from": [FROM_WEB], "ports": [{"port": 80}]}, {"from": [FROM_WEB]}
    assert ("db", "shadowed", 0) in problems(cluster(narrow, wide), history(80))
    assert [item for item in problems(cluster(wide, wide), history(80)) if item[1] == "shadowed"] == [
        ("db", "shadowed", 1)
    ]


def test_a_policy_that_selects_nobody_is_found() -> None:
    assert ("db", "selects-nothing", None) in problems(cluster(app="nobody"), history(80))


def test_staged_policies_are_left_out() -> None:
    staged = cluster({"from": [FROM_JOB]}, annotations={"conntrail.io/staged": "true"})
    assert problems(staged, history(80)) == []
    assert policy_rows(staged, None, "")[0]["staged"] is True


def test_lists_count_selected_pods_and_hits() -> None:
    hits = RuleHits(HitKey("NetworkPolicy", "shop", "db", "", "ingress", -1, "deny"), 4, 5, 6, 0, 4, 0, 1000)
    (row,) = policy_rows(cluster({}), (hits,), "")
    assert (row["pods"], row["connections"]) == (1, 4)
    (shown,) = hit_rows((hits,), "shop")
    assert (shown["policy"], shown["rule"], shown["denied"]) == ("NetworkPolicy shop/db", "default", 4)
    assert shown["last_seen"] == "1970-01-01T00:00:01Z"
    assert hit_rows((hits,), "other") == []
