from dataclasses import replace
from typing import Any

import pytest

from streams.policy.compile import compile_object, compile_policy
from streams.policy.evaluate import evaluate
from streams.policy.identity import classes_of
from streams.policy.object import PolicyObject
from streams.policy.policy_set import policy_set
from tests.unit.streams.policy.builders import pod, question

WEB = pod("web", address="10.0.0.1")
RESOLVER = pod("dns", "kube-system", address="10.0.1.1")
PORT = {"port": "53", "protocol": "ANY"}
INSIDE = {"matchPattern": "*.shop.svc.cluster.local"}
ALLOWED = "db.shop.svc.cluster.local"


def cilium(*rules: dict[str, Any], direction: str = "egress") -> PolicyObject:
    spec = {"endpointSelector": {}, direction: list(rules)}
    return PolicyObject("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "", "dns", "uid-dns", spec)


def through(*names: dict[str, str], ports: Any = (PORT,)) -> dict[str, Any]:
    return {"toPorts": [{"ports": list(ports), "rules": {"dns": list(names)}}]}


def egress(*rules: dict[str, Any], dns: str | None = None, port: int = 53, protocol: str = "UDP") -> str:
    policies = policy_set([compile_object(cilium(*rules))])
    return evaluate(policies, replace(question(WEB, RESOLVER, port, protocol), dns=dns)).egress.action


@pytest.mark.parametrize(
    ("name", "action"),
    [(ALLOWED, "allow"), ("DB.shop.svc.cluster.local.", "allow"), ("evil.example", "deny"), ("", "deny")],
)
def test_a_query_is_judged_by_its_name(name: str, action: str) -> None:
    assert egress(through(INSIDE), dns=name) == action


def test_the_connection_alone_is_let_through_to_the_proxy_and_to_its_ports_only() -> None:
    assert (egress(through(INSIDE)), egress(through(INSIDE), protocol="TCP")) == ("allow", "allow")
    assert egress(through(INSIDE), port=54) == egress(through(INSIDE), dns=ALLOWED, port=54) == "deny"


def test_a_rule_of_the_port_alone_lets_every_name_through() -> None:
    assert egress(through(INSIDE), {"toPorts": [{"ports": [PORT]}]}, dns="evil.example") == "allow"
    assert egress({"toPorts": [{"ports": [PORT], "rules": {"dns": []}}]}, dns="evil.example") == "allow"
    assert egress(through(INSIDE), through({"matchName": "evil.example"}), dns="evil.example") == "allow"


def test_what_speaks_another_protocol_does_not_pass_the_proxy() -> None:
    http = {"toPorts": [{"ports": [{"port": "53", "protocol": "TCP"}], "rules": {"http": [{"method": "GET"}]}}]}
    assert egress(http, dns=ALLOWED, protocol="TCP") == "deny"
    policies = policy_set([compile_object(cilium(through(INSIDE)))])
    asked = replace(question(WEB, RESOLVER, 53, "TCP"), http=("GET", "/"))
    assert evaluate(policies, asked).egress.action == "deny"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (through(INSIDE, ports=()), "toPorts[0].rules.dns: needs ports, each a single one"),
        (through(INSIDE, ports=[{"port": "0"}]), "toPorts[0].rules.dns: needs ports, each a single one"),
        (
            through(INSIDE, ports=[{"port": "53", "endPort": 60}]),
            "toPorts[0].rules.dns: needs ports, each a single one",
        ),
        (through({}), "toPorts[0].rules.dns[0]: needs exactly one of matchName, matchPattern"),
        (
            {"toPorts": [{"ports": [PORT], "rules": {"dns": [INSIDE], "http": [{}]}}]},
            "toPorts[0].rules: expected one of http, dns",
        ),
    ],
)
def test_what_cilium_refuses_is_named_and_unknown(rule: dict[str, Any], fault: str) -> None:
    assert compile_policy(cilium(rule)).faults == (f"spec.egress[0].{fault}",)
    assert egress(rule, dns=ALLOWED) == "unknown"


def test_rules_of_dns_are_for_who_asks() -> None:
    (fault,) = compile_policy(cilium(through(INSIDE), direction="ingress")).faults
    assert fault == "spec.ingress[0].toPorts[0].rules.dns: not known here: rules of DNS for ingress"


def test_names_that_no_rule_tells_apart_share_a_verdict() -> None:
    classes = classes_of(policy_set([compile_object(cilium(through(INSIDE)))]))
    alike = [
        classes.of_request(replace(question(WEB, RESOLVER, 53, "UDP"), dns=name)) for name in ("a.x", "b.x", ALLOWED)
    ]
    assert alike[0] == alike[1] != alike[2]
