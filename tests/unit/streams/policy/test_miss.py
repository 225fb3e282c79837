"""The nearest miss names the rule that came closest and the part that failed."""

from typing import Any

import pytest

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.explain.target import find_target
from streams.policy.evaluate import evaluate
from streams.policy.miss import nearest_miss
from streams.policy.question import Question
from tests.unit.conntrail.policy.cluster.builders import manifest, pod, policy, snapshot

WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
OPS_WEB = {"namespaceSelector": {"matchLabels": {"team": "b"}}, **WEB}


def cluster(*rules: Any) -> Snapshot:
    return snapshot(
        manifest("Namespace", "shop", namespace="", labels={"team": "a"}),
        pod("web-1", "10.0.0.1"),
        pod("db-1", "10.0.0.2"),
        pod("job-1", "10.0.0.3"),
        policy("db", {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": list(rules)}),
    )


def question(found: Snapshot, source: str, port: int) -> Question:
    here, there = find_target(source, found).ends[0], find_target("shop/db-1", found).ends[0]
    return Question(here, there, "TCP", port)


@pytest.mark.parametrize(
    ("rule", "source", "port", "parts", "words"),
    [
        ({"from": [WEB], "ports": [{"port": 80}]}, "shop/web-1", 81, ("port",), "it allows TCP 80, not TCP 81"),
        ({"from": [WEB]}, "shop/job-1", 80, ("selector",), "it wants app=web, the pod has app=job"),
        ({"from": [OPS_WEB]}, "shop/web-1", 80, ("namespace",), "it wants team=b, namespace shop has team=a"),
        ({"from": [WEB]}, "203.0.113.9", 80, ("selector",), "is no pod"),
        ({"from": [{"ipBlock": {"cidr": "203.0.113.0/29"}}]}, "203.0.113.9", 80, ("address",),
         "is not in 203.0.113.0/29"),
    ],
)  # fmt: skip
def test_the_part_that_failed_is_named(rule: Any, source: str, port: int, parts: tuple[str, ...], words: str) -> None:
    found = cluster(rule)
    asked = question(found, source, port)
    assert evaluate(found.policies, asked).verdict == "deny"
    miss = nearest_miss(found.policies.policies, asked, "ingress")
    assert miss is not None
    assert miss.parts == parts
    assert words in "; ".join(miss.words)


def test_the_rule_with_the_fewest_failing_parts_is_nearest() -> None:
    found = cluster({"from": [OPS_WEB], "ports": [{"port": 80}]}, {"from": [WEB], "ports": [{"port": 80}]})
    miss = nearest_miss(found.policies.policies, question(found, "shop/web-1", 81), "ingress")
    assert miss is not None
    assert (miss.rule.index, miss.distance) == (1, 1)


def test_without_a_rule_there_is_no_miss() -> None:
    found = cluster()
    assert nearest_miss(found.policies.policies, question(found, "shop/web-1", 80), "ingress") is None
