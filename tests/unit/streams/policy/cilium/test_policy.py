from typing import Any

import pytest

from streams.metadata.endpoint import Endpoint
from streams.policy.compile import compile_object, compile_policy
from streams.policy.evaluate import evaluate
from streams.policy.network import parse_address
from streams.policy.object import PolicyObject
from streams.policy.policy_set import policy_set
from streams.policy.question import End, Question
from streams.policy.trace import Trace
from tests.unit.streams.policy.builders import end, pod, policy_object, port, question

WEB = pod("web", address="10.0.0.1", node_name="n1", service_account="front")
DB = pod("db", address="10.0.0.2", node_name="n1", ports=(port("sql", 5432),))
PAY = pod("till", "pay", address="10.0.1.1", namespace_labels={"team": "red"})
NODES = [Endpoint(kind="node", name=name, uid=name, addresses=(f"192.168.0.{name[1:]}",)) for name in ("n1", "n2")]
TO_DB = {"endpointSelector": {"matchLabels": {"app": "db"}}}
FROM_WEB = {"fromEndpoints": [{"matchLabels": {"k8s:app": "web"}}]}


def cilium(name: str = "c", namespace: str = "shop", **spec: Any) -> PolicyObject:
    kind = "CiliumNetworkPolicy" if namespace else "CiliumClusterwideNetworkPolicy"
    return PolicyObject("cilium.io/v2", kind, namespace, name, f"uid-{name}", {**TO_DB, **spec})


def ask(*objects: PolicyObject, of: Question | None = None) -> Trace:
    return evaluate(policy_set(compile_object(item) for item in objects), of or question(WEB, DB))


def ingress(*rules: dict[str, Any], source: Endpoint | str = WEB, number: int = 80, protocol: str = "TCP") -> str:
    return ask(cilium(ingress=list(rules)), of=question(source, DB, number, protocol)).ingress.action


def test_whoever_is_selected_is_denied_unless_a_rule_allows() -> None:
    trace = ask(cilium(ingress=[FROM_WEB]))
    assert [str(hit) for hit in trace.ingress.hits] == ["CiliumNetworkPolicy:shop/c:rule=0:allow"]
    assert trace.egress.action == "none"
    assert (ingress(FROM_WEB, source=PAY), ingress({})) == ("deny", "deny")
    assert ask(cilium(ingress=[FROM_WEB]), of=question(DB, WEB)).ingress.action == "none"


def test_the_union_is_one_with_network_policies_and_a_denial_beats_it() -> None:
    kubernetes = policy_object({"podSelector": {}, "ingress": [{}]})
    assert ask(kubernetes, cilium(ingress=[{}])).verdict == "allow"
    trace = ask(kubernetes, cilium(ingressDeny=[FROM_WEB]))
    assert [str(hit) for hit in trace.ingress.hits] == ["CiliumNetworkPolicy:shop/c:rule=0:deny"]
    assert ask(kubernetes, cilium(ingressDeny=[FROM_WEB]), of=question(PAY, DB)).verdict == "allow"


def test_default_deny_can_be_chosen() -> None:
    assert ask(cilium(ingressDeny=[{"fromEntities": ["world"]}])).verdict == "deny"
    assert (
        ask(cilium(ingressDeny=[{"fromEntities": ["world"]}], enableDefaultDeny={"ingress": False})).verdict == "none"
    )
    assert ask(cilium(enableDefaultDeny={"ingress": True})).verdict == "deny"
    assert ask(cilium()).verdict == "none"


def test_endpoints_are_of_the_policys_namespace_unless_namespaces_are_asked_for() -> None:
    everyone, reds = {"fromEndpoints": [{}]}, {"io.cilium.k8s.namespace.labels.team": "red"}
    assert (ingress(everyone), ingress(everyone, source=PAY), ingress(everyone, source="192.0.2.1")) == (
        "allow",
        "deny",
        "deny",
    )
    assert (
        ingress({"fromEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "pay"}}]}, source=PAY) == "allow"
    )
    assert ingress({"fromEndpoints": [{"matchLabels": reds}]}, source=PAY) == "allow"
    assert ingress({"fromEndpoints": [{"matchLabels": {"io.cilium.k8s.policy.serviceaccount": "front"}}]}) == "allow"
    assert ingress({"fromEndpoints": []}) == "deny"
    assert ask(cilium(namespace="", ingress=[everyone]), of=question(PAY, DB)).verdict == "allow"


@pytest.mark.parametrize(
    ("entity", "answers"),
    [
        ("all", ["allow", "allow", "allow", "allow"]),
        ("world", ["deny", "allow", "deny", "deny"]),
        ("world-ipv6", ["deny", "deny", "deny", "deny"]),
        ("cluster", ["allow", "deny", "allow", "allow"]),
        ("remote-node", ["deny", "deny", "allow", "unknown"]),
        ("host", ["deny", "deny", "deny", "unknown"]),
    ],
)
def test_entities(entity: str, answers: list[str]) -> None:
    somewhere = pod("agent", address="192.168.0.9", host_network=True)
    sources: list[Endpoint | str] = [WEB, "192.0.2.1", NODES[1], somewhere]
    assert [ingress({"fromEntities": [entity]}, source=source) for source in sources] == answers


def test_a_pods_own_node_is_always_let_in() -> None:
    assert ask(cilium(ingress=[{}]), of=question(NODES[0], DB)).ingress.action == "none"


def test_networks_are_outside_the_cluster_only() -> None:
    blocks = {"fromCIDRSet": [{"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}], "fromCIDR": ["198.51.100.1/32"]}
    sources = ["192.0.2.1", "192.0.2.200", "198.51.100.1"]
    assert [ingress(blocks, source=source) for source in sources] == ["allow", "deny", "allow"]
    assert ingress({"fromCIDR": ["0.0.0.0/0"]}) == "deny"


@pytest.mark.parametrize(
    ("ports", "allowed"),
    [
        ([{"port": "80", "protocol": "TCP"}], ["TCP80"]),
        ([{"port": "80"}], ["TCP80", "UDP80"]),
        ([{"port": "1", "endPort": 79, "protocol": "UDP"}], ["UDP53"]),
        ([{"port": "0", "protocol": "UDP"}], ["UDP53", "UDP80"]),
        ([{"port": "sql", "protocol": "TCP"}], ["TCP5432"]),
    ],
)
def test_ports(ports: list[Any], allowed: list[str]) -> None:
    asked = {"TCP80": ("TCP", 80), "TCP5432": ("TCP", 5432), "UDP53": ("UDP", 53), "UDP80": ("UDP", 80)}
    rule = {"toPorts": [{"ports": ports}]}
    answers = {name: ingress(rule, protocol=protocol, number=number) for name, (protocol, number) in asked.items()}
    assert [name for name, action in answers.items() if action == "allow"] == allowed


@pytest.mark.parametrize(
    ("http", "request_", "action"),
    [
        ({"method": "GET", "path": "/public.*"}, ("GET", "/public/x"), "allow"),
        ({"method": "GET|HEAD", "path": "/x"}, ("HEAD", "/x"), "allow"),
        ({"method": "GET"}, ("POST", "/x"), "deny"),
        ({"path": "/x"}, ("GET", "/x/y"), "deny"),
        ({"path": "/(a+)+$"}, ("GET", "/x"), "unknown"),
        ({"headers": ["X-Token"]}, ("GET", "/x"), "unknown"),
        ({"method": "GET"}, None, "allow"),
    ],
)
def test_requests(http: dict[str, Any], request_: tuple[str, str] | None, action: str) -> None:
    rule = {"toPorts": [{"ports": [{"port": "80"}], "rules": {"http": [http]}}]}
    assert ask(cilium(ingress=[rule]), of=Question(end(WEB), end(DB), "TCP", 80, request_)).ingress.action == action


@pytest.mark.parametrize(
    ("pattern", "names", "action"),
    [
        ({"matchName": "api.example.com"}, ("API.example.com.",), "allow"),
        ({"matchPattern": "*.example.com"}, ("a.example.com",), "allow"),
        ({"matchPattern": "*.example.com"}, ("a.b.example.com",), "deny"),
        ({"matchPattern": "a*z.com"}, ("az.com",), "allow"),
        ({"matchPattern": "*"}, ("anything.org",), "allow"),
        ({"matchName": "api.example.com"}, None, "unknown"),
        ({"matchPattern": "*a*.com"}, ("xax.com",), "allow"),
        ({"matchPattern": "**.example.com"}, ("a.b.example.com",), "allow"),
        ({"matchPattern": "[a].com"}, ("a.com",), "unknown"),
    ],
)
def test_names(pattern: dict[str, str], names: tuple[str, ...] | None, action: str) -> None:
    outside = End(None, parse_address("192.0.2.1"), names)
    everyone: dict[str, Any] = {"endpointSelector": {}, "egress": [{"toFQDNs": [pattern]}]}
    assert ask(cilium(**everyone), of=Question(end(WEB), outside, "TCP", 443)).egress.action == action


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"fromRequires": [{}]}, "not known here: fromRequires"),
        ({"icmps": [{}]}, "not known here: icmps"),
        ({"fromEntities": ["mars"]}, "fromEntities[0]: not known here: entity 'mars'"),
        ({"fromCIDRSet": [{"cidrGroupRef": "x"}]}, "fromCIDRSet[0]: not known here: cidrGroupRef"),
        ({"toPorts": [{"rules": {"kafka": [{}]}}]}, "toPorts[0].rules: not known here: kafka"),
        ({"fromEndpoints": [{"matchLabels": {"reserved:host": ""}}]}, "not known here: label reserved:host"),
        ({"toPorts": [{"ports": [{"port": "80", "endPort": 79}]}]}, "ports[0].endPort: 79 is below port 80"),
        ("rule", "spec.ingress[0]: expected an object, got 'rule'"),
    ],
)
def test_what_a_rule_asks_and_does_not_map_is_named_and_unknown(rule: Any, fault: str) -> None:
    (named,) = compile_policy(cilium(ingress=[rule])).faults
    assert named.startswith("spec.ingress[0]")
    assert named.endswith(fault)
    assert ask(cilium(ingress=[rule])).ingress.action == "unknown"


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"ingress": [{}], "surprise": 1}, "spec: not known here: surprise"),
        ({"ingress": {}}, "spec.ingress: expected a list, got {}"),
        ({"enableDefaultDeny": {"ingress": 1}}, "spec.enableDefaultDeny.ingress: expected true or false, got 1"),
        ({"endpointSelector": [], "ingress": [{}]}, "spec.endpointSelector: expected an object, got []"),
    ],
)
def test_what_a_policy_says_and_does_not_map_is_named_and_unknown(spec: dict[str, Any], fault: str) -> None:
    assert compile_policy(cilium(**spec)).faults == (fault,)
    assert ask(cilium(**spec)).ingress.action == "unknown"


def test_a_denial_that_may_match_leaves_what_is_denied_anyhow() -> None:
    doubtful = {"fromEntities": ["kube-apiserver"]}
    assert ask(cilium(ingress=[FROM_WEB], ingressDeny=[doubtful])).ingress.action == "unknown"
    assert ask(cilium(ingress=[{}], ingressDeny=[doubtful])).ingress.action == "deny"


def test_policies_for_nodes_say_nothing_of_pods_and_are_named() -> None:
    for_nodes = PolicyObject(
        "cilium.io/v2", "CiliumClusterwideNetworkPolicy", "", "n", "", {"nodeSelector": {}, "ingress": [{}]}
    )
    assert ask(for_nodes).verdict == "none"
    assert compile_policy(for_nodes).faults == ("spec.nodeSelector: not judged, it selects nodes",)
