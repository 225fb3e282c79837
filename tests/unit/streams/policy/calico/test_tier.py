from typing import Any

import pytest

from streams.policy.object import PolicyObject
from streams.policy.question import Question
from tests.unit.streams.policy.builders import policy_object, question
from tests.unit.streams.policy.calico.builders import (
    DB,
    PAY,
    WEB,
    ask,
    calico,
    faults,
    global_policy,
    hits,
    ingress,
    policy,
    tier,
)

ALLOW, DENY, PASS, LOG = ({"action": action} for action in ("Allow", "Deny", "Pass", "Log"))
FROM_WEB = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}


def test_the_lowest_order_decides_and_no_order_comes_last() -> None:
    first, last = policy("z", order=1, ingress=[DENY]), policy("a", ingress=[ALLOW])
    assert hits(first, last) == ["NetworkPolicy:shop/z:default:rule=0:deny"]


def test_policies_of_equal_order_are_asked_by_name() -> None:
    assert hits(policy("b", order=5, ingress=[ALLOW]), policy("a", order=5, ingress=[DENY])) == [
        "NetworkPolicy:shop/a:default:rule=0:deny"
    ]


def test_pass_goes_to_the_next_tier_and_log_to_the_next_rule() -> None:
    objects = (
        tier("security", 100),
        global_policy("security.g", tier="security", ingress=[LOG, PASS]),
        policy(ingress=[LOG, ALLOW]),
    )
    assert hits(*objects) == [
        "GlobalNetworkPolicy:/security.g:security:rule=1:pass",
        "NetworkPolicy:shop/p:default:rule=1:allow",
    ]


def test_the_end_of_a_tier_names_all_that_select_and_the_first_is_the_trigger() -> None:
    assert hits(policy("b", order=1, ingress=[LOG]), policy("a", order=2)) == [
        "NetworkPolicy:shop/b:default:rule=-1:deny",
        "NetworkPolicy:shop/a:default:rule=-1:deny",
    ]


@pytest.mark.parametrize(("default", "action"), [("Deny", "deny"), ("Pass", "allow")])
def test_a_tiers_default_holds_for_whom_it_selects(default: str, action: str) -> None:
    objects = (tier("app", 1, default), policy(tier="app", selector="app == 'db'"))
    assert ingress(*objects) == action
    assert ask(*objects, of=question(DB, WEB)).ingress.action == "none"


def test_a_tier_that_is_not_known_makes_its_policies_unknown_by_name() -> None:
    assert ingress(policy(tier="app", ingress=[ALLOW])) == "unknown"
    assert faults(policy(tier="app")) == ["spec.tier: no Tier app that makes sense is known"]
    assert ingress(tier("app", 1, "Perhaps"), policy(tier="app")) == "unknown"


def test_network_policies_of_kubernetes_stand_in_the_default_tier() -> None:
    kubernetes = policy_object({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [FROM_WEB]}, "k")
    before, after = policy("early", order=999, ingress=[DENY]), policy("late", order=1001, ingress=[ALLOW])
    assert hits(kubernetes, before) == ["NetworkPolicy:shop/early:default:rule=0:deny"]
    assert hits(kubernetes, after) == ["NetworkPolicy:shop/k:rule=0:allow"]
    assert hits(kubernetes, after, of=question(PAY, DB)) == ["NetworkPolicy:shop/late:default:rule=0:allow"]


def _admin(tier_name: str, action: str) -> PolicyObject:
    spec = {
        "tier": tier_name,
        "priority": 5,
        "subject": {"namespaces": {}},
        "ingress": [{"action": action, "from": [{"namespaces": {}}]}],
    }
    return PolicyObject("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "", "c", "u", spec)


def test_cluster_policies_stand_among_the_tiers_of_calico() -> None:
    early = (tier("early", 999), global_policy(tier="early", ingress=[ALLOW]))
    late = (tier("late", 1001), global_policy(tier="late", ingress=[ALLOW]))
    assert ingress(_admin("Admin", "Deny"), *early) == "allow"
    assert ingress(_admin("Admin", "Deny"), *late) == "deny"
    assert ingress(_admin("Baseline", "Deny"), policy(ingress=[PASS])) == "deny"


def test_a_policy_speaks_of_the_directions_that_it_has_rules_for() -> None:
    assert ask(policy(egress=[DENY])).egress.action == "deny"
    assert ask(policy(egress=[DENY])).ingress.action == "none"
    assert ask(policy()).ingress.action == "deny"
    assert ask(policy(types=["Egress"], ingress=[DENY])).ingress.action == "none"


def _pending(*objects: PolicyObject, of: Question | None = None) -> tuple[str, str]:
    trace = ask(*objects, of=of)
    return trace.ingress.action, trace.pending_ingress.action


def test_staged_policies_are_pending_only() -> None:
    assert _pending(calico("StagedNetworkPolicy", "s", ingress=[DENY])) == ("none", "deny")
    assert _pending(calico("StagedGlobalNetworkPolicy", "s", ingress=[DENY], stagedAction="Set")) == ("none", "deny")
    assert _pending(calico("StagedKubernetesNetworkPolicy", "s", podSelector={})) == ("none", "deny")
    enforced = policy("e", order=2, ingress=[DENY])
    assert _pending(enforced, calico("StagedNetworkPolicy", "s", order=1, ingress=[ALLOW])) == ("deny", "allow")


def test_a_tier_of_staged_policies_alone_ends_in_nothing_yet() -> None:
    assert _pending(tier("app", 1), calico("StagedNetworkPolicy", "app.s", tier="app")) == ("none", "deny")


def test_a_staged_deletion_lets_the_policy_of_its_name_go() -> None:
    leaving = calico("StagedNetworkPolicy", "p", stagedAction="Delete")
    assert _pending(policy(ingress=[DENY]), leaving) == ("deny", "none")
    assert _pending(policy("other", ingress=[DENY]), leaving) == ("deny", "deny")
    kubernetes = policy_object({"podSelector": {}}, "p")
    assert _pending(kubernetes, leaving) == ("deny", "deny")
    assert _pending(kubernetes, calico("StagedKubernetesNetworkPolicy", "p", stagedAction="Delete")) == ("deny", "none")


def test_a_staged_action_that_is_not_known_is_named_and_leaves_what_is_enforced() -> None:
    staged = calico("StagedNetworkPolicy", "s", stagedAction="Learn", ingress=[DENY])
    assert _pending(staged) == ("none", "unknown")
    assert faults(staged) == ["spec.stagedAction: expected Set or Delete, got 'Learn'"]


@pytest.mark.parametrize("kind", ["NetworkPolicy", "GlobalNetworkPolicy"])
def test_the_annotation_stages_any_policy(kind: str) -> None:
    staged = calico(kind, "p", ingress=[DENY])
    annotated = PolicyObject(
        staged.api_version, kind, staged.namespace, "p", "u", staged.spec, {"conntrail.io/staged": "true"}
    )
    assert _pending(annotated) == ("none", "deny")


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"doNotTrack": True}, "spec.doNotTrack: not judged, it acts on the interfaces of hosts"),
        ({"preDNAT": True}, "spec.preDNAT: not judged, it acts on the interfaces of hosts"),
        ({"order": "first"}, "spec.order: expected a number, got 'first'"),
        ({"types": ["Both"]}, "spec.types: expected Ingress or Egress, got 'Both'"),
        ({"selector": "app = 'db'"}, "spec.selector: \"app = 'db'\": nothing known begins at column 5"),
        ({"egress": {}}, "spec.egress: expected a list, got {}"),
        ({"surprise": 1}, "spec: not known here: surprise"),
    ],
)
def test_what_cannot_be_judged_is_named_and_unknown(spec: dict[str, Any], fault: str) -> None:
    broken = global_policy(**{"types": ["Ingress", "Egress"], "ingress": [ALLOW], "egress": [DENY], **spec})
    assert faults(broken) == [fault]
    assert ask(broken).verdict == "unknown"


def test_forwarded_traffic_is_judged_at_pods_and_hosts_are_named() -> None:
    forwarding = global_policy(applyOnForward=True, ingress=[DENY])
    assert ingress(forwarding) == "deny"
    assert faults(forwarding) == ["spec.applyOnForward: judged at pods only, not at the interfaces of hosts"]


def test_a_rule_that_may_match_matters_only_if_it_would_decide_otherwise() -> None:
    doubtful = {"protocol": "TCP", "source": {"ports": [1024]}}
    assert ingress(policy(ingress=[{"action": "Allow", **doubtful}, ALLOW])) == "allow"
    assert ingress(policy(ingress=[{"action": "Allow", **doubtful}, DENY])) == "unknown"
    assert ingress(policy(ingress=[{"action": "Deny", **doubtful}])) == "deny"
    assert ingress(policy(ingress=[{"action": "Pass", **doubtful}, ALLOW])) == "unknown"
    assert ingress(policy(ingress=[{"action": "Log", **doubtful}, DENY])) == "deny"
    assert ingress(policy(ingress=[{"action": "Perhaps"}, ALLOW])) == "unknown"
