from typing import Any

import pytest

from streams.metadata.endpoint import Endpoint
from streams.policy.compile import compile_policy
from streams.policy.evaluate import evaluate
from streams.policy.trace import Trace
from tests.unit.streams.policy.builders import pod, policies, policy_object, port, question

WEB = pod("web", address="10.0.0.1", node_name="n1")
DB = pod("db", address="10.0.0.2", node_name="n2", ports=(port("sql", 5432), port("sql-udp", 5432, "UDP")))
FAR = pod("far", "other", address="2001:db8::5", namespace_labels={"team": "blue"})


def ask(spec: Any, source: Endpoint | str, destination: Endpoint | str, *more: Any) -> Trace:
    return evaluate(policies(policy_object(spec)), question(source, destination, *more))


def ingress(*rules: Any) -> dict[str, Any]:
    return {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": list(rules)}


def test_nothing_selects_an_end_without_policies() -> None:
    trace = evaluate(policies(), question(WEB, DB))
    assert (trace.egress.action, trace.ingress.action, trace.verdict) == ("none", "none", "none")


def test_a_default_deny_names_every_policy_that_isolates_sorted() -> None:
    isolating = [policy_object(ingress(), name) for name in ("c", "a", "b")]
    trace = evaluate(policies(*isolating), question(WEB, DB))
    expected = [f"NetworkPolicy:shop/{name}:rule=-1:deny" for name in "abc"]
    assert [str(hit) for hit in trace.ingress.hits] == expected
    assert [str(hit) for hit in trace.denied_by] == expected


def test_an_allow_names_every_rule_that_matches() -> None:
    trace = evaluate(
        policies(
            policy_object(ingress({"ports": [{"port": 81}]}, {}, {"from": [{"podSelector": {}}]}), "a"),
            policy_object(ingress(), "b"),
        ),
        question(WEB, DB),
    )
    assert [str(hit) for hit in trace.ingress.hits] == [
        "NetworkPolicy:shop/a:rule=1:allow",
        "NetworkPolicy:shop/a:rule=2:allow",
    ]


@pytest.mark.parametrize(
    ("spec", "directions"),
    [
        ({"podSelector": {}}, {"ingress"}),
        ({}, {"ingress"}),
        ({"egress": []}, {"ingress"}),
        ({"egress": [{}]}, {"ingress", "egress"}),
        ({"policyTypes": [], "egress": [{}]}, {"ingress", "egress"}),
        ({"policyTypes": None}, {"ingress"}),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, {"egress"}),
    ],
)
def test_policy_types_default_as_the_api_server_has_it(spec: Any, directions: set[str]) -> None:
    policy = compile_policy(policy_object(spec))
    speaking = {"ingress": policy.ingress is not None, "egress": policy.egress is not None}
    assert {name for name, speaks in speaking.items() if speaks} == directions
    assert policy.faults == ()


def test_a_pod_always_reaches_itself() -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert ask(spec, DB, DB).verdict == "none"


def test_pods_on_the_hosts_network_are_neither_selected_nor_peers_but_have_addresses() -> None:
    host = pod("host", address="192.168.1.9", host_network=True, node_name="n9")
    assert ask({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, host, host).verdict == "none"
    assert ask(ingress({"from": [{"podSelector": {}}]}), host, DB).verdict == "deny"
    assert ask(ingress({"from": [{"ipBlock": {"cidr": "192.168.1.0/24"}}]}), host, DB).verdict == "allow"


def test_a_pods_own_node_is_always_let_in_and_another_node_is_not() -> None:
    own = Endpoint(kind="node", name="n2", uid="n2", addresses=("192.168.1.2",))
    other = Endpoint(kind="node", name="n1", uid="n1", addresses=("192.168.1.1",))
    assert ask(ingress(), own, DB).verdict == "none"
    assert ask(ingress(), other, DB).verdict == "deny"
    assert ask({"podSelector": {}, "policyTypes": ["Egress"]}, DB, own).verdict == "deny"


def test_a_namespace_selector_spans_namespaces_and_a_pod_selector_alone_does_not() -> None:
    assert ask(ingress({"from": [{"podSelector": {}}]}), FAR, DB).verdict == "deny"
    assert ask(ingress({"from": [{"namespaceSelector": {}}]}), FAR, DB).verdict == "allow"
    blue = {"namespaceSelector": {"matchLabels": {"team": "blue"}}}
    assert ask(ingress({"from": [blue]}), FAR, DB).verdict == "allow"
    assert ask(ingress({"from": [{**blue, "podSelector": {"matchLabels": {"app": "web"}}}]}), FAR, DB).verdict == "deny"
    assert ask(ingress({"from": [{"namespaceSelector": {}}]}), "192.0.2.1", DB).verdict == "deny"


@pytest.mark.parametrize(
    ("source", "verdict"),
    [("192.0.2.1", "allow"), ("192.0.2.200", "deny"), ("192.0.2.255", "allow"), ("192.0.3.0", "deny")],
)
def test_an_exception_takes_away_from_its_own_block_alone(source: str, verdict: str) -> None:
    blocks = [
        {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}},
        {"ipBlock": {"cidr": "192.0.2.255/32"}},
    ]
    assert ask(ingress({"from": blocks}), source, DB).verdict == verdict


@pytest.mark.parametrize(
    ("cidr", "source", "verdict"),
    [
        ("2001:db8::/32", "2001:db8:ffff::1", "allow"),
        ("2001:db8::/32", "2001:db9::1", "deny"),
        ("0.0.0.0/0", "2001:db8::1", "deny"),
        ("::/0", "192.0.2.1", "deny"),
        ("192.0.2.0/24", "::ffff:192.0.2.1", "allow"),
        ("192.0.2.77/24", "192.0.2.1", "allow"),
    ],
)
def test_blocks_hold_addresses_of_their_own_family(cidr: str, source: str, verdict: str) -> None:
    assert ask(ingress({"from": [{"ipBlock": {"cidr": cidr}}]}), source, DB).verdict == verdict


def test_a_block_holds_pods_by_their_address() -> None:
    assert ask(ingress({"from": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}), WEB, DB).verdict == "allow"


@pytest.mark.parametrize(
    ("ports", "number", "protocol", "verdict"),
    [
        ([{"port": 80}], 80, "TCP", "allow"),
        ([{"port": 80}], 80, "UDP", "deny"),
        ([{"port": 80, "endPort": 90}], 90, "TCP", "allow"),
        ([{"port": 80, "endPort": 90}], 91, "TCP", "deny"),
        ([{"protocol": "SCTP"}], 7, "SCTP", "allow"),
        ([{"protocol": "SCTP"}], 7, "TCP", "deny"),
        ([{"port": "sql"}], 5432, "TCP", "allow"),
        ([{"port": "sql"}], 5433, "TCP", "deny"),
        ([{"port": "sql"}], 5432, "UDP", "deny"),
        ([{"port": "sql-udp", "protocol": "UDP"}], 5432, "UDP", "allow"),
        ([{"port": 80}], 0, "ICMP", "deny"),
        ([], 0, "ICMP", "allow"),
    ],
)
def test_ports(ports: Any, number: int, protocol: str, verdict: str) -> None:
    assert ask(ingress({"ports": ports}), WEB, DB, number, protocol).verdict == verdict


def test_a_named_port_is_the_destination_pods_in_both_directions() -> None:
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "sql"}]}]}
    assert ask(spec, WEB, DB, 5432).verdict == "allow"
    assert ask(spec, DB, WEB, 5432).verdict == "deny"
    assert ask(spec, WEB, "192.0.2.1", 5432).verdict == "deny"


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (None, "spec: missing"),
        ("text", "spec: expected an object, got 'text'"),
        ({"podSelector": {}, "frobnicate": 1}, "spec: not known here: frobnicate"),
        ({"podSelector": {"matchLabels": {"app": 1}}}, "spec.podSelector.matchLabels.app: expected a string, got 1"),
        ({"podSelector": {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}}, "operator"),
        ({"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}, "In needs values"),
        ({"podSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}}, "no values"),
        ({"policyTypes": ["Sideways"]}, "spec.policyTypes: expected Ingress or Egress, got 'Sideways'"),
        ({"policyTypes": "Ingress"}, "spec.policyTypes: expected a list"),
        ({"ingress": {}}, "spec.ingress: expected a list"),
        ({"ingress": ["x"]}, "spec.ingress[0]: expected an object"),
        ({"ingress": [{"to": []}]}, "spec.ingress[0]: not known here: to"),
        ({"ingress": [{"from": [{}]}]}, "spec.ingress[0].from[0]: needs"),
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}]}, "ipBlock excludes"),
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.1"}}]}]}, "cidr: expected a CIDR block"),
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]}]}, "cidr: expected a CIDR block"),
        ({"ingress": [{"from": [{"ipBlock": {}}]}]}, "cidr: expected a string"),
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "::ffff:10.0.0.0/104"}}]}]}, "mapped"),
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}}]}]}, "lie within"),
        ({"ingress": [{"ports": [{"protocol": "ICMP"}]}]}, "protocol: expected TCP, UDP or SCTP"),
        ({"ingress": [{"ports": [{"port": 0}]}]}, "port: expected a port from 1 to 65535, got 0"),
        ({"ingress": [{"ports": [{"port": True}]}]}, "expected a port"),
        ({"ingress": [{"ports": [{"port": "80"}]}]}, "expected a port"),
        ({"ingress": [{"ports": [{"port": 80, "endPort": 79}]}]}, "79 is below port 80"),
        ({"ingress": [{"ports": [{"endPort": 79}]}]}, "expected a port"),
        ({"ingress": [{"ports": [{"port": "web", "endPort": 79}]}]}, "expected a port"),
    ],
)
def test_what_is_malformed_is_named_and_its_verdict_unknown(spec: Any, fault: str) -> None:
    source = policy_object(spec)
    assert [text for text in compile_policy(source).faults if fault in text]
    trace = evaluate(policies(source), question(WEB, DB))
    assert trace.verdict == "unknown"
    assert all(hit.policy.name == "p" and hit.action == "unknown" for hit in trace.ingress.hits)


def test_a_fault_reaches_no_further_than_what_it_could_change() -> None:
    bad_rule = {"from": [{"podSelector": {}, "surprise": 1}], "ports": [{"port": 9000}]}
    source = policy_object(ingress(bad_rule, {"ports": [{"port": 80}]}))
    assert evaluate(policies(source), question(WEB, DB, 80)).verdict == "allow"
    assert evaluate(policies(source), question(WEB, DB, 81)).verdict == "deny"
    assert evaluate(policies(source), question(WEB, DB, 9000)).verdict == "unknown"
    assert evaluate(policies(source), question(DB, FAR, 9000)).verdict == "none"


def test_another_policys_allow_stands_beside_a_policy_that_is_not_understood() -> None:
    broken, allowing = policy_object("text", "broken"), policy_object(ingress({"ports": [{"port": 80}]}), "fine")
    assert evaluate(policies(broken, allowing), question(WEB, DB, 80)).verdict == "allow"
    assert evaluate(policies(broken, allowing), question(WEB, DB, 81)).verdict == "unknown"


@pytest.mark.parametrize(
    "garbage", [[], 7, True, "x", {"podSelector": []}, {"ingress": [[]]}, {"ingress": [{"ports": 1}]}]
)
def test_garbage_never_raises(garbage: Any) -> None:
    assert compile_policy(policy_object(garbage)).faults


def test_a_policy_of_an_unknown_kind_makes_what_it_reaches_unknown_and_nothing_else() -> None:
    own = policy_object({}, "c")
    foreign = type(own)("crd.antrea.io/v1beta1", "NetworkPolicy", "shop", "c", "u", {})
    trace = evaluate(policies(foreign), question(WEB, DB))
    assert [str(hit) for hit in trace.ingress.hits] == ["NetworkPolicy:shop/c:rule=-1:unknown"]
    assert evaluate(policies(foreign), question(FAR, "192.0.2.1")).verdict == "none"
