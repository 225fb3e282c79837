from typing import Any

import pytest

from streams.metadata.endpoint import Endpoint
from streams.policy.compile import compile_policy
from streams.policy.evaluate import evaluate
from streams.policy.object import PolicyObject
from streams.policy.question import Question
from streams.policy.trace import Trace
from tests.unit.streams.policy.builders import end, pod, policies, policy_object, port, question

WEB = pod("web", address="10.0.0.1")
DB = pod("db", address="10.0.0.2", ports=(port("sql", 5432),))
EVERY_NAMESPACE = {"namespaces": {}}


def cluster_policy(name: str, priority: Any = 10, tier: Any = "Admin", **spec: Any) -> PolicyObject:
    spec = {"tier": tier, "priority": priority, "subject": EVERY_NAMESPACE, **spec}
    version = "policy.networking.k8s.io/v1alpha2"
    return PolicyObject(version, "ClusterNetworkPolicy", "", name, f"uid-{name}", spec)


def ingress(action: str, **more: Any) -> list[dict[str, Any]]:
    return [{"action": action, "from": [EVERY_NAMESPACE], **more}]


def egress(action: str, *peers: Any) -> list[dict[str, Any]]:
    return [{"action": action, "to": list(peers)}]


def ask(*objects: PolicyObject, of: Question | None = None) -> Trace:
    return evaluate(policies(*objects), of or question(WEB, DB))


def test_the_lowest_priority_decides_and_names_its_tier() -> None:
    trace = ask(cluster_policy("b", 20, ingress=ingress("Accept")), cluster_policy("z", 10, ingress=ingress("Deny")))
    assert [str(hit) for hit in trace.ingress.hits] == ["ClusterNetworkPolicy:/z:admin:rule=0:deny"]
    assert trace.verdict == "deny"


def test_an_admin_rule_overrides_a_network_policy_in_both_senses() -> None:
    isolating = policy_object({"podSelector": {}})
    assert ask(isolating, cluster_policy("a", ingress=ingress("Accept"))).verdict == "allow"
    open_to_all = policy_object({"podSelector": {}, "ingress": [{}]})
    assert ask(open_to_all, cluster_policy("a", ingress=ingress("Deny"))).verdict == "deny"


def test_a_pass_hands_on_to_network_policies_and_stays_in_the_trace() -> None:
    trace = ask(cluster_policy("a", ingress=ingress("Pass")), policy_object({"podSelector": {}}))
    assert [str(hit) for hit in trace.ingress.hits] == [
        "ClusterNetworkPolicy:/a:admin:rule=0:pass",
        "NetworkPolicy:shop/p:rule=-1:deny",
    ]
    assert [str(hit) for hit in trace.denied_by] == ["NetworkPolicy:shop/p:rule=-1:deny"]
    assert ask(cluster_policy("a", ingress=ingress("Pass"))).verdict == "allow"


def test_the_baseline_is_asked_only_where_no_network_policy_isolates() -> None:
    baseline = cluster_policy("base", tier="Baseline", ingress=ingress("Deny"))
    assert ask(baseline).verdict == "deny"
    assert ask(baseline, policy_object({"podSelector": {}, "ingress": [{}]})).verdict == "allow"
    assert ask(baseline, policy_object({"policyTypes": ["Egress"], "egress": [{}]})).verdict == "deny"


def test_equal_priorities_that_disagree_leave_the_answer_open() -> None:
    allowing, denying = cluster_policy("a", ingress=ingress("Accept")), cluster_policy("b", ingress=ingress("Deny"))
    trace = ask(allowing, denying)
    assert trace.verdict == "unknown"
    assert {hit.policy.name for hit in trace.ingress.hits} == {"a", "b"}
    assert ask(allowing, cluster_policy("c", ingress=ingress("Accept"))).verdict == "allow"


def test_traffic_from_outside_is_no_peer_of_an_ingress_rule() -> None:
    assert ask(cluster_policy("a", ingress=ingress("Deny")), of=question("192.0.2.1", DB)).verdict == "none"


def test_networks_hold_pods_too() -> None:
    denying = cluster_policy("a", egress=egress("Deny", {"networks": ["192.0.2.0/24", "10.0.0.2/32"]}))
    assert ask(denying).verdict == "deny"
    assert ask(denying, of=question(WEB, "192.0.2.9")).verdict == "deny"
    assert ask(denying, of=question(WEB, "192.0.3.9")).verdict == "none"


@pytest.mark.parametrize(
    ("pattern", "names", "verdict"),
    [
        ("example.com", ("Example.com.",), "allow"),
        ("example.com", ("www.example.com",), "none"),
        ("*.example.com", ("a.b.example.com",), "allow"),
        ("*.example.com", ("example.com",), "none"),
        ("*.example.com", ("xexample.com",), "none"),
        ("*.example.com", ("other.org", "www.example.com"), "allow"),
        ("*.example.com", (), "none"),
        ("*.example.com", None, "unknown"),
    ],
)
def test_domains_are_matched_by_whole_labels(pattern: str, names: tuple[str, ...] | None, verdict: str) -> None:
    accepting = cluster_policy("a", egress=egress("Accept", {"domainNames": [pattern]}))
    asked = Question(end(WEB), type(end(WEB))(None, end("192.0.2.1").address, names), "TCP", 443)
    assert ask(accepting, of=asked).verdict == verdict


def test_nodes_are_matched_by_their_labels() -> None:
    denying = cluster_policy("a", egress=egress("Deny", {"nodes": {"matchLabels": {"role": "worker"}}}))
    worker = Endpoint(kind="node", name="n1", uid="n1", labels={"role": "worker"}, addresses=("192.168.0.1",))
    other = Endpoint(kind="node", name="n2", uid="n2", addresses=("192.168.0.2",))
    host = pod("host", address="192.168.0.1", host_network=True)
    assert [ask(denying, of=question(WEB, peer)).verdict for peer in (worker, other, host, DB)] == [
        "deny",
        "none",
        "unknown",
        "none",
    ]


def test_protocols_and_named_ports() -> None:
    def verdict(protocols: list[Any], number: int, protocol: str = "TCP") -> str:
        rule = ingress("Deny", protocols=protocols)
        return ask(cluster_policy("a", ingress=rule), of=question(WEB, DB, number, protocol)).verdict

    assert verdict([{"tcp": {}}], 7) == "deny"
    assert verdict([{"tcp": {}}], 7, "UDP") == "none"
    assert verdict([{"udp": {"destinationPort": {"range": {"start": 5, "end": 7}}}}], 7, "UDP") == "deny"
    assert verdict([{"udp": {"destinationPort": {"number": 6}}}], 7, "UDP") == "none"
    assert verdict([{"destinationNamedPort": "sql"}], 5432) == "deny"
    assert verdict([{"destinationNamedPort": "sql"}], 5432, "UDP") == "none"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"priority": None}, "spec.priority: expected a number from 0 to 1000, got None"),
        ({"priority": 1001}, "spec.priority"),
        ({"tier": "Middle"}, "spec.tier: expected Admin or Baseline, got 'Middle'"),
        ({"subject": None}, "spec.subject: needs exactly one of namespaces, pods"),
        ({"subject": {"serviceAccounts": {}}}, "spec.subject: not known here: serviceAccounts"),
        ({"surprise": 1}, "spec: not known here: surprise"),
        ({"ingress": ingress("Reject")}, "spec.ingress[0].action: expected Accept, Deny or Pass, got 'Reject'"),
        ({"ingress": [{"action": "Deny", "from": []}]}, "spec.ingress[0].from: needs a peer"),
        ({"ingress": [{"action": "Deny", "from": [{}]}]}, "spec.ingress[0].from[0]: needs exactly one"),
        ({"ingress": [{"action": "Deny", "from": [{"networks": ["::/0"]}]}]}, "not known here: networks"),
        ({"ingress": ingress("Deny", protocols=[{"icmp": {}}])}, "protocols[0]: not known here: icmp"),
        ({"ingress": ingress("Deny", ports=[])}, "spec.ingress[0]: not known here: ports"),
    ],
)
def test_what_is_malformed_is_named_and_its_verdict_unknown(changes: dict[str, Any], fault: str) -> None:
    source = cluster_policy("bad", **{"ingress": ingress("Deny"), **changes})
    assert [text for text in compile_policy(source).faults if fault in text]
    assert ask(source).ingress.action == "unknown"


def test_a_domain_peer_of_a_deny_is_a_fault() -> None:
    source = cluster_policy("bad", egress=egress("Deny", {"domainNames": ["a.example"]}))
    assert "only a rule that accepts" in compile_policy(source).faults[0]


def test_a_spec_that_is_missing_makes_everything_unknown() -> None:
    version = "policy.networking.k8s.io/v1alpha1"
    assert ask(PolicyObject(version, "AdminNetworkPolicy", "", "x", "u", None)).verdict == "unknown"


def test_the_older_form_of_namespaces_is_read() -> None:
    spec = {"namespaces": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}}
    source = cluster_policy("a", subject=spec, ingress=ingress("Deny"))
    assert compile_policy(source).faults == ()
    assert ask(source).verdict == "deny"
