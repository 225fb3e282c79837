"""What is recommended from what was seen, and what is not."""

from typing import Any

import pytest

from conntrail.policy.history.seen import SeenEnd
from conntrail.policy.recommend.network_policy import NETWORK_POLICY
from conntrail.policy.recommend.remark import failures, remarks, unprovable
from tests.unit.conntrail.policy.cluster.builders import Manifest, manifest, pod, policy, snapshot
from tests.unit.conntrail.policy.recommend.builders import (
    DNS,
    NODES,
    PODS,
    end,
    gone_pod,
    history,
    on_node,
    outside,
    recommended,
    seen,
)

CLUSTER = snapshot(*NODES, *PODS)
DENY_ALL = policy("closed", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def told(found: Any) -> str:
    return "\n".join(remarks(found, NETWORK_POLICY))


def rules(found: Manifest, direction: str) -> list[Any]:
    return list(found["spec"][direction])


def test_each_end_gets_its_half_by_labels_and_the_far_namespace_by_name() -> None:
    found, policies = recommended(CLUSTER, history(seen(end("api"), end("db", "data"), 5432)))
    assert not list(failures(found))
    assert set(policies) == {"conntrail-api", "conntrail-db"}
    api, db = policies["conntrail-api"], policies["conntrail-db"]
    assert api["spec"]["podSelector"] == {"matchLabels": {"app": "api"}}
    assert api["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert rules(api, "ingress") == []
    ports = [{"protocol": "TCP", "port": 5432}]
    there = {"matchLabels": {"kubernetes.io/metadata.name": "data"}}
    assert rules(api, "egress") == [
        {"to": [{"namespaceSelector": there, "podSelector": {"matchLabels": {"app": "db"}}}], "ports": ports}
    ]
    assert db["metadata"]["namespace"] == "data"
    assert rules(db, "ingress")[0]["from"][0]["podSelector"] == {"matchLabels": {"app": "api"}}


def test_peers_at_the_same_ports_share_a_rule() -> None:
    past = history(seen(end("web"), end("db", "data"), 5432), seen(end("api"), end("db", "data"), 5432))
    _, policies = recommended(CLUSTER, past)
    [rule] = rules(policies["conntrail-db"], "ingress")
    assert [peer["podSelector"]["matchLabels"]["app"] for peer in rule["from"]] == ["api", "web"]


def test_nodes_come_by_their_addresses_for_pods_on_other_nodes() -> None:
    found, policies = recommended(CLUSTER, history(seen(on_node("node1"), end("web"), 8080)))
    assert not list(failures(found))
    assert found.proof.questions == 2, "web-1 on the node itself and web-2 elsewhere"
    assert rules(policies["conntrail-web"], "ingress") == [
        {"from": [{"ipBlock": {"cidr": "192.0.2.1/32"}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    ]


def test_workloads_on_their_nodes_network_get_no_policy_and_are_peers_by_address() -> None:
    host = pod("proxy-1", "192.0.2.2", node="node2")
    host["spec"]["hostNetwork"] = True
    cluster = snapshot(*NODES, *PODS, host)
    found, policies = recommended(cluster, history(seen(end("proxy"), end("web"), 8080)))
    assert not list(failures(found))
    assert set(policies) == {"conntrail-web"}
    assert rules(policies["conntrail-web"], "ingress")[0]["from"] == [{"ipBlock": {"cidr": "192.0.2.2/32"}}]


def test_dns_is_kept_where_the_service_leads_also_when_nobody_was_seen_asking() -> None:
    cluster = snapshot(*NODES, *PODS, *DNS)
    found, policies = recommended(cluster, history(seen(end("web"), end("api"), 8080)))
    [rule] = rules(policies["conntrail-api"], "egress")
    assert rule["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert [(port["protocol"], port["port"]) for port in rule["ports"]] == [("TCP", 5353), ("UDP", 5353)]
    assert "no DNS of the cluster" not in told(found)
    assert "no DNS of the cluster" in told(recommended(CLUSTER, history(seen(end("web"), end("api"), 8080)))[0])


def test_the_cache_on_each_node_is_dns_for_everybody() -> None:
    past = history(seen(end("web"), outside("169.254.20.10"), 53, protocol="UDP"), seen(end("web"), end("api"), 1))
    _, policies = recommended(CLUSTER, past)
    for name in ("conntrail-web", "conntrail-api"):
        rule = rules(policies[name], "egress")[-1]
        assert rule["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}]
        assert {port["protocol"] for port in rule["ports"]} == {"TCP", "UDP"}


def test_dns_that_the_present_policies_deny_is_not_opened() -> None:
    only_api = policy("web", {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"],
                              "egress": [{"to": [{"podSelector": {"matchLabels": {"app": "api"}}}]}]})  # fmt: skip
    cluster = snapshot(*NODES, *PODS, *DNS, only_api)
    past = history(seen(end("web"), end("api"), 8080),
                   seen(end("web"), end("dns", "kube-system"), 5353, protocol="UDP", action="denied"))  # fmt: skip
    found, policies = recommended(cluster, past)
    assert not list(failures(found))
    assert len(rules(policies["conntrail-web"], "egress")) == 1
    assert "not allowed, for it was denied: shop/web to kube-system/dns UDP 5353" in told(found)


def test_the_dns_server_itself_answers_everybody() -> None:
    cluster = snapshot(*NODES, *PODS, *DNS)
    past = history(seen(end("web"), end("dns", "kube-system"), 5353, protocol="UDP"))
    _, policies = recommended(cluster, past, namespace="kube-system")
    assert set(policies) == {"conntrail-dns"}
    froms = [rule["from"] for rule in rules(policies["conntrail-dns"], "ingress")]
    assert [{"namespaceSelector": {}}] in froms


def test_namespaces_of_the_system_are_left_out_unless_asked_for() -> None:
    cluster = snapshot(*NODES, *PODS, *DNS)
    found, policies = recommended(cluster, history(seen(end("web"), end("dns", "kube-system"), 5353, protocol="UDP")))
    assert set(policies) == {"conntrail-web"}
    assert "kube-system left out" in told(found)


def test_what_was_denied_or_failed_is_not_allowed_and_is_told() -> None:
    past = history(
        seen(end("web"), end("api"), 8080),
        seen(end("web"), end("api"), 1, action="denied"),
        seen(end("api"), end("web"), 2, action="failed"),
    )
    found, policies = recommended(CLUSTER, past)
    assert rules(policies["conntrail-api"], "ingress")[0]["ports"] == [{"protocol": "TCP", "port": 8080}]
    assert rules(policies["conntrail-web"], "ingress") == []
    assert "not allowed, for it was denied: shop/web to shop/api TCP 1 (3 connections)" in told(found)
    assert "not allowed, for it failed: nobody answered or it was refused: shop/api to shop/web TCP 2" in told(found)


def test_what_the_present_policies_deny_is_not_opened_though_it_was_seen_allowed_before() -> None:
    cluster = snapshot(*NODES, *PODS, DENY_ALL)
    past = history(seen(end("web"), end("api"), 8080), seen(end("db", "data"), outside("203.0.113.9"), 443))
    found, policies = recommended(cluster, past)
    assert set(policies) == {"conntrail-db"}
    assert "the present policies deny what was seen allowed before: shop/web to shop/api TCP 8080" in told(found)


def test_where_only_some_pods_are_let_in_now_the_present_policies_keep_deciding() -> None:
    pods = [pod("web-1", "10.0.0.1", labels={"app": "web", "role": "reader"}), pod("web-2", "10.0.0.2"), PODS[2]]
    reader = {"podSelector": {"matchLabels": {"role": "reader"}}}
    readers = policy("api", {"podSelector": {"matchLabels": {"app": "api"}}, "ingress": [{"from": [reader]}]})
    found, policies = recommended(snapshot(*NODES, *pods, readers), history(seen(end("web"), end("api"), 8080)))
    assert not list(failures(found))
    assert "conntrail-api" not in policies, "a rule from app=web would let web-2 in"
    assert rules(policies["conntrail-web"], "egress")
    assert "left to the present policies" in told(found)


def test_wide_blocks_give_way_where_they_would_open_what_is_denied() -> None:
    cluster = snapshot(
        *NODES, *PODS,
        policy("web", {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [
            {"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [f"9.9.{n}.9/32" for n in range(40)]}}]}]}),
    )  # fmt: skip
    past = history(
        *(seen(outside(f"8.{number}.1.1"), end("web"), 8080) for number in range(40)),
        *(seen(outside(f"9.9.{number}.9"), end("web"), 8080, action="denied") for number in range(40)),
    )
    found, policies = recommended(cluster, past)
    assert not list(failures(found))
    blocks = [peer["ipBlock"]["cidr"] for rule in rules(policies["conntrail-web"], "ingress") for peer in rule["from"]]
    assert sorted(blocks) == sorted(f"8.{number}.1.1/32" for number in range(40))


def test_pings_are_warned_of_and_kept_only_on_demand() -> None:
    past = history(seen(end("web"), end("api"), 8080), seen(end("db", "data"), end("web"), 0, protocol="ICMP"))
    found, policies = recommended(CLUSTER, past)
    assert "WARNING: NetworkPolicy has no word for it" in told(found)
    assert "data/db to shop/web ICMP (3 connections)" in told(found)
    assert rules(policies["conntrail-web"], "ingress") == []
    found, policies = recommended(CLUSTER, past, keeps_icmp=True)
    assert not list(failures(found))
    [rule] = rules(policies["conntrail-web"], "ingress")
    assert set(rule) == {"from"}
    assert "let through with every port" in told(found)


def test_silent_workloads_are_left_alone_and_told_or_isolated_on_demand() -> None:
    past = history(seen(end("web"), end("api"), 8080))
    found, policies = recommended(snapshot(*NODES, *PODS, *DNS), past)
    assert set(policies) == {"conntrail-web", "conntrail-api"}
    assert "no traffic was seen of data/db: no policy for them" in told(found)
    found, policies = recommended(snapshot(*NODES, *PODS, *DNS), past, with_silent=True)
    assert rules(policies["conntrail-db"], "ingress") == []
    assert len(rules(policies["conntrail-db"], "egress")) == 1, "DNS"
    assert "no traffic was seen" not in told(found)


def test_a_workload_at_rest_is_meant_by_the_labels_that_flows_showed() -> None:
    nightly = end("report", kind="CronJob")
    labels = {"app": "report", "job-name": "report-29", "controller-uid": "x"}
    past = history(seen(nightly, end("api"), 8080, source_pods=("shop/report-29-x",)),
                   pods=(gone_pod(nightly, "report-29-x", labels),))  # fmt: skip
    found, policies = recommended(CLUSTER, past)
    assert not list(failures(found))
    assert rules(policies["conntrail-api"], "ingress")[0]["from"] == [
        {"podSelector": {"matchLabels": {"app": "report"}}}
    ]
    assert policies["conntrail-report"]["spec"]["podSelector"] == {"matchLabels": {"app": "report"}}


def test_a_deployment_that_is_gone_is_a_peer_by_its_last_labels_and_gets_no_policy() -> None:
    old = end("old")
    past = history(
        seen(old, end("api"), 8080, source_pods=("shop/old-1",)), pods=(gone_pod(old, "old-1", {"app": "o"}),)
    )
    found, policies = recommended(CLUSTER, past)
    assert not list(failures(found))
    assert set(policies) == {"conntrail-api"}


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (seen(end("gone"), end("api"), 8080), "one end is gone"),
        (seen(on_node("gone"), end("api"), 8080), "one end is gone"),
        (seen(SeenEnd("unknown"), end("api"), 8080), "who it was is lost"),
        (seen(end("web"), end("api"), 0), "its port was lost"),
    ],
)
def test_what_cannot_be_replayed_is_named(record: Any, why: str) -> None:
    found, _ = recommended(CLUSTER, history(record, seen(end("web"), end("api"), 8080)))
    [line] = unprovable(found)
    assert f"to shop/api TCP {record.key.port or ''}".strip() in line
    assert why in line


def test_workloads_with_the_same_labels_share_a_policy_with_all_that_they_need() -> None:
    twins = [pod("one-1", "10.0.0.1", labels={"app": "x"}), pod("two-1", "10.0.0.2", labels={"app": "x"}), PODS[2]]
    past = history(seen(end("one"), end("api"), 1), seen(end("two"), end("api"), 5))
    found, policies = recommended(snapshot(*NODES, *twins), past)
    assert not list(failures(found))
    assert set(policies) == {"conntrail-one", "conntrail-api"}
    assert {port["port"] for rule in rules(policies["conntrail-one"], "egress") for port in rule["ports"]} == {1, 5}


def test_a_canary_has_a_policy_of_its_own_and_the_plain_one_leaves_it_out() -> None:
    pods = [PODS[0], pod("canary-1", "10.0.0.8", labels={"app": "web", "track": "canary"}), PODS[2]]
    past = history(seen(end("web"), end("api"), 1), seen(end("canary"), end("api"), 2))
    found, policies = recommended(snapshot(*NODES, *pods), past)
    assert not list(failures(found))
    lacks = [{"key": "track", "operator": "DoesNotExist"}]
    assert policies["conntrail-web"]["spec"]["podSelector"] == {
        "matchLabels": {"app": "web"},
        "matchExpressions": lacks,
    }


def test_pods_of_a_workload_reach_each_other_not_only_themselves() -> None:
    found, policies = recommended(CLUSTER, history(seen(end("web"), end("web"), 7946)))
    assert not list(failures(found))
    assert rules(policies["conntrail-web"], "ingress")[0]["from"] == [{"podSelector": {"matchLabels": {"app": "web"}}}]


def test_ports_that_were_others_each_time_are_all_ephemeral_ones_and_a_named_high_port_stays() -> None:
    high = [seen(end("web"), end("api"), port) for port in range(40000, 40010)]
    named = pod("api-1", "10.0.0.3", ports={"grpc": 50051})
    found, policies = recommended(snapshot(*NODES, *PODS[:2], named), history(*high))
    [rule] = rules(policies["conntrail-api"], "ingress")
    assert rule["ports"] == [{"protocol": "TCP", "port": 32768, "endPort": 65535}]
    assert not list(failures(found))
    _, policies = recommended(snapshot(*NODES, *PODS[:2], named), history(seen(end("web"), end("api"), 50051)))
    assert rules(policies["conntrail-api"], "ingress")[0]["ports"] == [{"protocol": "TCP", "port": 50051}]


def test_a_set_that_is_recommended_again_replaces_itself() -> None:
    past = history(seen(end("web"), end("api"), 8080))
    _, first = recommended(CLUSTER, past)
    found, second = recommended(snapshot(*NODES, *PODS, *first.values()), past)
    assert first == second
    assert found.proof.policies == 0


def test_what_present_policies_leave_undecided_stands_against_the_set_by_name() -> None:
    foreign = manifest("NetworkPolicy", "far", version="crd.antrea.io/v1beta1", spec={})
    found, _ = recommended(snapshot(*NODES, *PODS, foreign), history(seen(end("web"), end("api"), 9999)))
    [line] = failures(found)
    assert line.startswith("shop/web to shop/api TCP 9999")
    assert "together with the present policies: unknown by NetworkPolicy:shop/far" in line
