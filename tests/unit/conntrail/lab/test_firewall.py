"""From manifests to nftables; that the kernel takes and obeys it is shown on a real lab."""

from typing import Any

import pytest

from conntrail.lab.cluster import Cluster
from conntrail.lab.network.firewall import ruleset
from conntrail.lab.network.policy import policy_chains
from conntrail.lab.place import build_cluster
from conntrail.lab.policy.stack import policy_stack
from conntrail.lab.selector import matches

AT = "2026-01-01T00:00:00Z"


def deployment(name: str, namespace: str, *ports: dict[str, Any]) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"ports": list(ports)}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": template},
    }


def policy(spec: dict[str, Any], annotations: dict[str, str] | None = None) -> dict[str, Any]:
    metadata = {"name": "p", "namespace": "a", "annotations": annotations or {}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {"podSelector": {}, **spec},
    }


def cluster(*more: dict[str, Any]) -> Cluster:
    return build_cluster(
        [
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}},
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b", "labels": {"team": "b"}}},
            deployment("server", "a", {"name": "web", "containerPort": 8080}),
            deployment("client", "b"),
            *more,
        ],
        AT,
    )


def chains(built: Cluster, direction: str) -> list[str]:
    """Of the first pod, without what the comments say."""
    lines = policy_chains(policy_stack(built), built.pods[0], direction)
    return [line.partition(" comment ")[0].strip() for line in lines]


def ingress(*rules: dict[str, Any], **more: Any) -> list[str]:
    return chains(cluster(policy({"ingress": list(rules), **more})), "ingress")[1:-1]


def test_no_policy_no_chain() -> None:
    built = cluster()
    assert chains(built, "ingress") == []


def test_a_policy_without_rules_drops_everything() -> None:
    assert ingress() == ["counter drop"]


def test_a_staged_policy_is_not_enforced() -> None:
    built = cluster(policy({"ingress": []}, {"conntrail.io/staged": "true"}))
    assert chains(built, "ingress") == []


def test_a_rule_without_peers_and_ports_allows_everything() -> None:
    assert ingress({}) == ["counter return", "counter drop"]


def test_a_named_port_is_the_servers() -> None:
    assert ingress({"ports": [{"port": "web"}]}) == [
        "meta nfproto ipv4 ip daddr 10.244.1.10 tcp dport 8080 counter return",
        "meta nfproto ipv6 ip6 daddr fd00:244:1::10 tcp dport 8080 counter return",
        "counter drop",
    ]


def test_a_named_port_without_peers_is_of_whoever_has_it() -> None:
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "web"}]}]}
    built = cluster(policy(spec))
    assert chains(built, "egress")[1] == "meta nfproto ipv4 ip daddr 10.244.1.10 tcp dport 8080 counter return"


def test_a_rule_names_itself() -> None:
    built = cluster(policy({"ingress": [{}]}))
    lines = list(policy_chains(policy_stack(built), built.pods[0], "ingress"))
    assert lines[1].endswith('comment "NetworkPolicy a/p ingress[0] allow"')
    assert lines[2].endswith('comment "end of tier default"')


def test_a_name_that_no_container_has_allows_nothing() -> None:
    assert ingress({"ports": [{"port": "other"}]}) == ["counter drop"]


def test_ranges_and_protocols() -> None:
    rules = ingress({"ports": [{"port": 1, "endPort": 9, "protocol": "SCTP"}, {"protocol": "UDP"}]})
    assert rules[:2] == ["sctp dport 1-9 counter return", "meta l4proto udp counter return"]


def test_a_pod_selector_alone_means_the_policys_own_namespace() -> None:
    assert ingress({"from": [{"podSelector": {"matchLabels": {"app": "client"}}}]}) == ["counter drop"]


def test_a_null_namespace_selector_is_none() -> None:
    peer = {"namespaceSelector": None, "podSelector": {"matchLabels": {"app": "client"}}}
    assert ingress({"from": [peer]}) == ["counter drop"]


def test_a_namespace_selector_means_its_pods_in_both_families() -> None:
    rules = ingress({"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]})
    assert rules[:2] == [
        "meta nfproto ipv4 ip saddr 10.244.1.11 counter return",
        "meta nfproto ipv6 ip6 saddr fd00:244:1::11 counter return",
    ]


def test_a_block_is_without_its_exceptions() -> None:
    block = {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.4.0.0/16"]}
    wanted = "meta nfproto ipv4 ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16, 10.4.0.0/16 } counter return"
    assert ingress({"from": [{"ipBlock": block}]})[0] == wanted


def test_an_egress_policy_does_not_isolate_ingress() -> None:
    built = cluster(policy({"policyTypes": ["Egress"]}))
    assert chains(built, "ingress") == []
    assert chains(built, "egress")[-2] == "counter drop"


def test_egress_rules_imply_the_type() -> None:
    built = cluster(policy({"egress": [{}]}))
    assert chains(built, "egress")
    assert chains(built, "ingress")


def test_reset_is_for_tcp_and_what_is_not_tcp_is_dropped() -> None:
    built = cluster(policy({}, {"conntrail.io/lab-deny": "reset"}))
    lines = chains(built, "ingress")
    assert lines[1:3] == ["meta l4proto tcp counter reject with tcp reset", "counter drop"]


def test_established_connections_pass_before_policies_are_asked() -> None:
    lines = ruleset(cluster(policy({})), cluster().nodes[0]).splitlines()
    forward = lines[next(n for n, line in enumerate(lines) if "hook forward" in line) :]
    assert "established,related accept" in forward[1]
    assert any("ip daddr 10.244.1.10 jump ingress_10" in line for line in forward)


def test_each_port_of_a_service_leads_to_its_target_or_is_refused() -> None:
    ports = [{"name": "x", "port": 80, "targetPort": "web"}, {"name": "y", "port": 81, "targetPort": "absent"}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "a"}}
    built = cluster({**service, "spec": {"selector": {"app": "server"}, "ports": ports}})
    text = ruleset(built, built.nodes[0])
    assert "ip daddr 10.96.0.10 tcp dport 80 dnat ip to 10.244.1.10:8080" in text
    assert "ip6 daddr fd00:96::10 tcp dport 80 dnat ip6 to [fd00:244:1::10]:8080" in text
    assert text.count("ip daddr 10.96.0.10 tcp dport 81 counter reject") == 2  # forwarded, and the node's own
    assert "dport 80 counter reject" not in text


@pytest.mark.parametrize(
    ("operator", "labels", "is_match"),
    [
        ("In", {"k": "a"}, True),
        ("In", {}, False),
        ("NotIn", {"k": "a"}, False),
        ("NotIn", {"k": "z"}, True),
        ("NotIn", {}, True),
        ("Exists", {"k": ""}, True),
        ("Exists", {}, False),
        ("DoesNotExist", {}, True),
        ("DoesNotExist", {"k": "a"}, False),
    ],
)
def test_expressions(operator: str, labels: dict[str, str], is_match: bool) -> None:
    selector = {"matchExpressions": [{"key": "k", "operator": operator, "values": ["a", "b"]}]}
    assert matches(selector, labels) is is_match
