"""Tiers as chains: what allows returns, what passes goes on, what is denied ends; each rule says whose it is."""

from typing import Any

import pytest

from conntrail.lab.network.firewall import ruleset
from conntrail.lab.network.policy import policy_chains
from conntrail.lab.policy.expression import SelectorError, parse_selector
from conntrail.lab.policy.stack import policy_stack
from tests.unit.conntrail.lab.builders import Object, an_object, built, calico, pod_spec

POD = an_object("Pod", "a", pod_spec({"name": "web", "containerPort": 80}), namespace="shop", labels={"app": "a"})
OTHER = an_object("Pod", "b", pod_spec({"name": "web", "containerPort": 81}), namespace="data", labels={"app": "b"})
DENY_ALL = an_object("NetworkPolicy", "closed", {"podSelector": {}}, namespace="shop")


def chains(*policies: Object, direction: str = "ingress", of: int = 0) -> list[str]:
    cluster = built(an_object("Node", "n"), POD, OTHER, *policies)
    return [line.strip() for line in policy_chains(policy_stack(cluster), cluster.pods[of], direction)]


def bare(lines: list[str]) -> list[str]:
    return [line.partition(" comment ")[0] for line in lines]


def tier(name: str, **spec: Any) -> Object:
    return an_object("Tier", name, spec)


def allow(**source: Any) -> list[Object]:
    return [{"action": "Allow", "source": source}]


def only_source(lines: list[str]) -> list[str]:
    """Of the first rule's lines, whom they let through."""
    return [line.partition(" saddr ")[2].partition(" counter")[0] for line in bare(lines) if "saddr" in line]


def test_a_pass_goes_to_the_next_tier_and_an_allow_returns() -> None:
    passing = an_object(
        "AdminNetworkPolicy",
        "p",
        {
            "priority": 5,
            "subject": {"namespaces": {}},
            "ingress": [
                {"action": "Pass", "from": [{"namespaces": {}}], "ports": [{"portNumber": {"port": 80}}]},
                {"action": "Allow", "from": [{"namespaces": {}}], "ports": [{"portRange": {"start": 1, "end": 9}}]},
            ],
        },
    )
    lines = bare(chains(passing, DENY_ALL))
    assert lines[:3] == ["chain ingress_10_1 {", "counter drop", "}"]
    assert lines[3] == "chain ingress_10 {"
    assert [line.partition("tcp dport ")[2] for line in lines[4:8]] == [
        "80 counter goto ingress_10_1",
        "80 counter goto ingress_10_1",
        "1-9 counter return",
        "1-9 counter return",
    ]
    assert lines[8:] == ["goto ingress_10_1", "}"]


def test_the_last_tier_without_an_end_lets_through() -> None:
    spec = {"subject": {"namespaces": {}}, "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}]}
    lines = bare(chains(an_object("BaselineAdminNetworkPolicy", "default", spec)))
    assert lines[-2].endswith("counter drop")
    assert "goto" not in " ".join(lines)


def test_tiers_stand_in_their_order_and_policies_in_theirs() -> None:
    policies = [
        tier("late", order=2e6),
        tier("early", order=1),
        calico("z", tier="late", order=1, ingress=[{"action": "Deny"}]),
        calico("y", tier="early", order=2, ingress=[{"action": "Allow"}]),
        calico("x", tier="early", order=1, ingress=[{"action": "Log"}, {"action": "Pass"}]),
        calico("w", tier="early", ingress=[{"action": "Deny"}]),
        an_object("NetworkPolicy", "n", {"podSelector": {}, "ingress": [{}]}, namespace="shop"),
        calico("v", order=1500, ingress=[{"action": "Deny"}]),
        calico("u", order=500, ingress=[{"action": "Allow"}]),
    ]
    named = [line.partition(' comment "')[2].rstrip('"') for line in chains(*policies) if "comment" in line]
    assert named == [
        "GlobalNetworkPolicy z ingress[0] deny",
        "end of tier late",
        "GlobalNetworkPolicy u ingress[0] allow",
        "NetworkPolicy shop/n ingress[0] allow",
        "GlobalNetworkPolicy v ingress[0] deny",
        "end of tier default",
        "GlobalNetworkPolicy x ingress[0] log",
        "GlobalNetworkPolicy x ingress[1] pass",
        "GlobalNetworkPolicy y ingress[0] allow",
        "GlobalNetworkPolicy w ingress[0] deny",
        "end of tier early",
    ]


def test_a_tier_that_passes_at_its_end_hands_on() -> None:
    lines = bare(chains(tier("t", order=1, defaultAction="Pass"), calico("p", tier="t", ingress=allow()), DENY_ALL))
    assert lines[-2] == "goto ingress_10_1"
    assert bare(chains(tier("t", defaultAction="Pass"), calico("p", tier="t", types=["Ingress"])))[1:-1] == []


@pytest.mark.parametrize(
    "staged",
    [
        an_object("StagedGlobalNetworkPolicy", "p", {"types": ["Ingress"]}),
        an_object("StagedNetworkPolicy", "p", {"types": ["Ingress"]}, namespace="shop"),
        an_object("StagedKubernetesNetworkPolicy", "p", {"podSelector": {}}, namespace="shop"),
        {**calico("p"), "metadata": {"name": "p", "annotations": {"conntrail.io/staged": "true"}}},
    ],
)
def test_what_is_staged_is_not_enforced(staged: Object) -> None:
    assert chains(staged) == []


def test_a_pod_that_no_policy_selects_has_no_chain() -> None:
    assert chains(calico("p", "data", ingress=allow())) == []
    assert chains(calico("p", selector="app == 'b'")) == []
    assert chains(calico("p", selector="app == 'b'"), of=1)


def test_types_that_are_not_given_follow_from_the_rules() -> None:
    only_egress = calico("p", egress=[{"action": "Allow"}])
    assert chains(only_egress) == []
    assert chains(only_egress, direction="egress")
    assert bare(chains(calico("p")))[1] == "counter drop"


def test_a_selector_in_a_namespace_means_that_namespace() -> None:
    here = calico("p", "shop", ingress=allow(selector="has(app)"))
    assert only_source(chains(here)) == ["10.244.1.10", "fd00:244:1::10"]
    anywhere = calico("p", "shop", ingress=allow(selector="has(app)", namespaceSelector="all()"))
    assert only_source(chains(anywhere))[0] == "{ 10.244.1.10/31 }".replace("{ ", "").replace(" }", "")


def test_sets_of_networks_are_selected_by_their_labels_and_place() -> None:
    sets = [
        an_object("GlobalNetworkSet", "g", {"nets": ["192.0.2.0/24"]}, labels={"kind": "far"}),
        an_object("NetworkSet", "n", {"nets": ["198.51.100.7"]}, labels={"kind": "far"}, namespace="shop"),
    ]

    def sources(policy: Object) -> list[str]:
        return only_source(chains(policy, *sets))

    assert sources(calico("p", ingress=allow(selector="kind == 'far'"))) == ["{ 192.0.2.0/24, 198.51.100.7 }"]
    assert sources(calico("p", "shop", ingress=allow(selector="kind == 'far'"))) == ["198.51.100.7"]
    outside = allow(selector="kind == 'far'", namespaceSelector="global()")
    assert sources(calico("p", "shop", ingress=outside)) == ["192.0.2.0/24"]


def test_all_that_a_rule_asks_of_an_end_must_hold() -> None:
    rule = {
        "action": "Deny",
        "protocol": "TCP",
        "ipVersion": 4,
        "source": {"nets": ["10.0.0.0/8"], "notNets": ["10.1.0.0/16", "fd00::/8"], "notSelector": "app == 'b'"},
        "destination": {"selector": "app == 'a'", "ports": [80, "90:99"], "notPorts": [95]},
    }
    assert bare(chains(calico("p", ingress=[rule])))[1] == (
        "meta nfproto ipv4 ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 ip saddr != 10.244.1.11 ip daddr 10.244.1.10 "
        "tcp dport { 80, 90-99 } tcp dport != 95 counter drop"
    )


def test_a_named_port_has_the_number_of_each_pod_that_has_it() -> None:
    rule = {"action": "Allow", "protocol": "TCP", "destination": {"ports": ["web", 443]}}
    lines = bare(chains(calico("p", egress=[rule]), direction="egress"))
    assert lines[1] == "tcp dport 443 counter return"
    assert [line for line in lines if "ipv4" in line] == [
        "meta nfproto ipv4 ip daddr 10.244.1.10 tcp dport 80 counter return",
        "meta nfproto ipv4 ip daddr 10.244.1.11 tcp dport 81 counter return",
    ]


def test_a_denial_may_reset_tcp_alone() -> None:
    value = calico("p", ingress=[{"action": "Deny", "protocol": "UDP"}, {"action": "Deny"}])
    value["metadata"]["annotations"] = {"conntrail.io/lab-deny": "reset"}
    assert bare(chains(value))[1:4] == [
        "meta l4proto udp counter drop",
        "meta l4proto tcp counter reject with tcp reset",
        "counter drop",
    ]


def test_networks_that_overlap_are_one() -> None:
    rule = {"action": "Deny", "to": [{"networks": ["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"]}]}
    spec = {"priority": 1, "tier": "Admin", "subject": {"namespaces": {}}, "egress": [rule]}
    lines = bare(chains(an_object("ClusterNetworkPolicy", "p", spec), direction="egress"))
    assert lines[1:3] == [
        "meta nfproto ipv4 ip daddr 10.0.0.0/8 counter drop",
        "meta nfproto ipv6 ip6 daddr fd00::/8 counter drop",
    ]


def test_nodes_are_their_own_addresses() -> None:
    rule = {"action": "Deny", "to": [{"nodes": {"matchLabels": {"kubernetes.io/hostname": "n"}}}]}
    spec = {"priority": 1, "tier": "Admin", "subject": {"namespaces": {}}, "egress": [rule]}
    lines = bare(chains(an_object("ClusterNetworkPolicy", "p", spec), direction="egress"))
    assert lines[1] == "meta nfproto ipv4 ip daddr 172.30.0.1 counter drop"


def test_what_a_pod_sends_to_its_own_node_is_egress_too() -> None:
    cluster = built(
        an_object("Node", "n"), POD, an_object("NetworkPolicy", "p", {"policyTypes": ["Egress"]}, namespace="shop")
    )
    lines = [line.strip() for line in ruleset(cluster, cluster.nodes[0]).splitlines()]
    here = lines[lines.index("chain here {") :]
    assert "ip saddr 10.244.1.10 jump egress_10" in here
    assert here.index("icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept") < here.index(
        "ip6 saddr fd00:244:1::10 jump egress_10"
    )


@pytest.mark.parametrize(
    "text", ["a", "a ==", "a == b", "(a == 'b'", "a in {'b'", "a ~ 'b'", "has()", "!", "a == 'b' c", "'a'"]
)
def test_a_selector_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(SelectorError):
        parse_selector(text)


@pytest.mark.parametrize(
    ("text", "in_namespace", "outside"),
    [("all()", True, False), ("global()", False, True), ("!has(a)", True, True), ("", True, True)],
)
def test_a_selector_of_namespaces_tells_what_is_in_none(text: str, in_namespace: bool, outside: bool) -> None:
    holds = parse_selector(text, is_of_namespaces=True)
    assert (holds({}, False), holds({}, True)) == (in_namespace, outside)
