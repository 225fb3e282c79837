from typing import Any

import pytest

from streams.metadata.endpoint import Endpoint
from streams.policy.network import parse_address
from streams.policy.object import PolicyObject
from streams.policy.question import End, Question
from tests.unit.streams.policy.builders import end, pod, question
from tests.unit.streams.policy.calico.builders import (
    DB,
    PAY,
    WEB,
    account,
    ask,
    faults,
    global_policy,
    ingress,
    namespace,
    network_set,
    policy,
)


def _allows(rule: dict[str, Any], *objects: PolicyObject, source: Endpoint | str = WEB, **more: Any) -> str:
    return ingress(policy(ingress=[{"action": "Allow", **rule}]), *objects, source=source, **more)


def _allows_globally(rule: dict[str, Any], *objects: PolicyObject, source: Endpoint | str = WEB, **more: Any) -> str:
    return ingress(global_policy(ingress=[{"action": "Allow", **rule}]), *objects, source=source, **more)


def test_a_selector_stays_in_the_policys_namespace_unless_namespaces_are_selected() -> None:
    everyone = {"source": {"selector": "all()"}}
    assert (_allows(everyone), _allows(everyone, source=PAY)) == ("allow", "deny")
    reds = {"source": {"namespaceSelector": "team == 'red'"}}
    assert (_allows(reds), _allows(reds, source=PAY)) == ("deny", "allow")
    named = {"source": {"namespaceSelector": "projectcalico.org/name == 'pay'", "selector": "app == 'till'"}}
    assert (_allows(named), _allows(named, source=PAY)) == ("deny", "allow")
    assert _allows_globally(everyone, source=PAY) == "allow"


def test_all_namespaces_are_pods_and_global_is_none_of_them() -> None:
    outside = network_set("office", ["192.0.2.0/24"], {})
    for selector, answers in (("all()", ("allow", "deny")), ("global()", ("deny", "allow"))):
        rule = {"source": {"namespaceSelector": selector}}
        assert (_allows(rule, outside), _allows(rule, outside, source="192.0.2.1")) == answers


def test_a_rule_without_a_source_is_about_everybody() -> None:
    assert _allows({}, source="192.0.2.1") == "allow"
    assert _allows({"source": {}}, source=PAY) == "allow"


def test_a_selector_never_matches_an_address_that_no_set_holds() -> None:
    assert _allows_globally({"source": {"selector": "all()"}}, source="192.0.2.1") == "deny"
    assert _allows_globally({"source": {"notSelector": "app == 'web'"}}, source="192.0.2.1") == "allow"
    assert _allows({"source": {"notSelector": "app == 'web'"}}, source="192.0.2.1") == "deny"


def test_sets_of_networks_are_found_by_their_labels() -> None:
    office = network_set("office", ["192.0.2.0/25", "2001:db8::7"], {"kind": "office"})
    rule = {"source": {"selector": "kind == 'office'"}}
    addresses = ["192.0.2.7", "192.0.2.128", "2001:db8::7", "2001:db8::8"]
    assert [_allows_globally(rule, office, source=item) for item in addresses] == ["allow", "deny", "allow", "deny"]
    assert _allows(rule, office, source="192.0.2.7") == "deny"
    own = network_set("office", ["192.0.2.0/24"], {"kind": "office"}, "shop")
    assert _allows(rule, own, source="192.0.2.7") == "allow"
    assert _allows_globally(rule, network_set("web", ["10.0.0.0/30"], {"kind": "office"}), source=WEB) == "allow"


def test_a_set_of_a_namespace_has_its_labels_or_is_unknown() -> None:
    own = network_set("partners", ["192.0.2.0/24"], {}, "pay")
    rule = {"source": {"namespaceSelector": "team == 'red'"}}
    assert _allows(rule, own, namespace("pay", {"team": "red"}), source="192.0.2.7") == "allow"
    assert _allows(rule, own, source="192.0.2.7") == "unknown"
    assert _allows(rule, own, source="198.51.100.1") == "deny"
    assert faults(policy(ingress=[{"action": "Allow", **rule}]), own) == [
        "the labels of the namespace of NetworkSet pay/partners are not known"
    ]


def test_a_set_that_cannot_be_read_is_named_where_it_is_selected() -> None:
    broken = network_set("feed", ["nonsense"], {"kind": "feed"})
    rule = {"source": {"selector": "kind == 'feed'"}}
    assert _allows_globally(rule, broken, source="192.0.2.7") == "unknown"
    assert faults(global_policy(ingress=[{"action": "Allow", **rule}]), broken) == [
        "GlobalNetworkSet feed cannot be read"
    ]
    assert _allows_globally({"source": {"selector": "kind == 'x'"}}, broken, source="192.0.2.7") == "deny"


def test_service_accounts_are_selected_by_name_and_by_label() -> None:
    accounts = [account("web-sa", {"role": "front"}), account("db-sa", {})]
    assert _allows({"source": {"serviceAccounts": {"names": ["web-sa", "x"]}}}) == "allow"
    assert _allows({"source": {"serviceAccounts": {"names": ["db-sa"]}}}) == "deny"
    front = {"source": {"serviceAccounts": {"selector": "role == 'front'", "names": ["web-sa"]}}}
    assert _allows(front, *accounts) == "allow"
    assert _allows(front, account("web-sa", {})) == "deny"
    assert _allows(front) == "unknown"
    assert faults(policy(ingress=[{"action": "Allow", **front}])) == ["the labels of ServiceAccounts are not known"]


def test_a_policy_selects_by_service_account_and_namespace() -> None:
    deny = [{"action": "Deny"}]
    assert (
        ingress(policy(serviceAccountSelector="role == 'data'", ingress=deny), account("db-sa", {"role": "data"}))
        == "deny"
    )
    assert ingress(policy(serviceAccountSelector="role == 'data'", ingress=deny), account("db-sa", {})) == "none"
    assert ingress(policy(serviceAccountSelector="role == 'data'", ingress=deny)) == "unknown"
    assert ingress(global_policy(namespaceSelector="projectcalico.org/name == 'shop'", ingress=deny)) == "deny"
    assert ingress(global_policy(namespaceSelector="team == 'red'", ingress=deny)) == "none"
    for selector in ("pcns.kubernetes.io/metadata.name == 'shop'", "projectcalico.org/namespace == 'shop'"):
        assert ingress(global_policy(selector=selector, ingress=deny)) == "deny"


@pytest.mark.parametrize(
    ("source", "answers"),
    [
        ({"nets": ["10.0.0.0/24", "192.0.2.1"]}, ("allow", "allow", "deny")),
        ({"notNets": ["10.0.0.0/24"]}, ("deny", "allow", "allow")),
        ({"nets": ["0.0.0.0/0"], "notNets": ["192.0.2.0/31"]}, ("allow", "deny", "allow")),
        ({"nets": ["10.0.0.0/8"], "selector": "app == 'web'"}, ("allow", "deny", "deny")),
        ({"nets": ["10.0.9.0/24"], "selector": "app == 'web'"}, ("deny", "deny", "deny")),
    ],
)
def test_all_fields_of_an_end_must_hold(source: dict[str, Any], answers: tuple[str, ...]) -> None:
    assert tuple(_allows({"source": source}, source=item) for item in (WEB, "192.0.2.1", "192.0.2.2")) == answers


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({"protocol": "TCP"}, ["TCP80", "TCP5432"]),
        ({"protocol": 17}, ["UDP53"]),
        ({"notProtocol": "TCP"}, ["UDP53", "ICMP0"]),
        ({"protocol": "ICMP"}, ["ICMP0"]),
        ({"protocol": "TCP", "destination": {"ports": [80]}}, ["TCP80"]),
        ({"protocol": "TCP", "destination": {"ports": ["81:90", "5000:6000"]}}, ["TCP5432"]),
        ({"protocol": "TCP", "destination": {"ports": ["sql"]}}, ["TCP5432"]),
        ({"protocol": "UDP", "destination": {"ports": ["sql"]}}, []),
        ({"protocol": "TCP", "destination": {"notPorts": ["sql"]}}, ["TCP80"]),
        ({"protocol": "TCP", "destination": {"notPorts": ["1:80"]}}, ["TCP5432"]),
        ({"ipVersion": 4}, ["TCP80", "TCP5432", "UDP53", "ICMP0"]),
        ({"ipVersion": 6}, []),
    ],
)
def test_protocols_and_ports(rule: dict[str, Any], allowed: list[str]) -> None:
    asked = {"TCP80": ("TCP", 80), "TCP5432": ("TCP", 5432), "UDP53": ("UDP", 53), "ICMP0": ("ICMP", 0)}
    found = [
        name for name, (protocol, number) in asked.items() if _allows(rule, protocol=protocol, number=number) == "allow"
    ]
    assert found == allowed


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"destination": {"ports": [80]}}, "destination.ports[0]: ports need protocol TCP, UDP or SCTP"),
        ({"protocol": "TCP", "destination": {"ports": ["90:80"]}}, "destination.ports[0]: expected a port, a range"),
        ({"protocol": "TCP", "destination": {"ports": [65536]}}, "destination.ports[0]: expected a port, a range"),
        ({"protocol": "NOPE"}, "protocol: expected a protocol's name or its number from 1 to 255, got 'NOPE'"),
        ({"protocol": "TCP", "source": {"ports": [1]}}, "source.ports: cannot be judged"),
        ({"protocol": "ICMP", "icmp": {"type": 8}}, "icmp: cannot be judged"),
        ({"source": {"nets": ["10.0.0.0/99"]}}, "source.nets[0]: expected a CIDR block"),
        ({"source": {"region": "x"}}, "source: not known here: region"),
        ({"source": {"domains": ["a.b"]}}, "source.domains: only a destination is known by names"),
        ({"destination": {"domains": ["a.b"], "nets": ["10.0.0.0/8"]}}, "domains: not known together with nets"),
        ({"destination": {"services": {"name": "db"}}}, "the addresses behind Service shop/db are not known"),
    ],
)  # fmt: skip
def test_what_a_rule_asks_and_nobody_knows_is_named_and_unknown(rule: dict[str, Any], fault: str) -> None:
    protocol = "ICMP" if rule.get("protocol") == "ICMP" else "TCP"
    assert _allows(rule, protocol=protocol) == "unknown"
    (named,) = faults(policy(ingress=[{"action": "Allow", **rule}]))
    assert fault in named


def test_types_of_icmp_matter_to_icmp_alone() -> None:
    rule = {"icmp": {"type": 8}}
    assert (_allows(rule, protocol="TCP"), _allows({"notICMP": {"type": 8}}, protocol="TCP")) == ("deny", "allow")


@pytest.mark.parametrize(
    ("domain", "names", "action"),
    [
        ("api.example.com", ("API.example.com.",), "allow"),
        ("*.example.com", ("a.b.example.com",), "allow"),
        ("*.example.com", ("example.com",), "deny"),
        ("api.*.com", ("api.example.com",), "allow"),
        ("api.*.com", ("apix.example.com",), "deny"),
        ("api.example.com", (), "deny"),
        ("api.example.com", None, "unknown"),
        ("*.*.com", ("a.b.com",), "unknown"),
        ("api.*", ("api.com",), "unknown"),
    ],
)
def test_domains_are_held_against_the_names_that_were_looked_up(
    domain: str, names: tuple[str, ...] | None, action: str
) -> None:
    outside = End(None, parse_address("192.0.2.1"), names)
    rule = {"action": "Allow", "destination": {"domains": [domain]}}
    assert ask(policy(egress=[rule]), of=Question(end(WEB), outside, "TCP", 443)).egress.action == action


def test_a_set_of_domains_is_selected_like_one_of_networks() -> None:
    partners = network_set("partners", [], {"kind": "partner"}, allowedEgressDomains=["*.example.com"])
    rule = {"action": "Allow", "destination": {"selector": "kind == 'partner'"}}
    outside = End(None, parse_address("192.0.2.1"), ("api.example.com",))
    assert ask(global_policy(egress=[rule]), partners, of=Question(end(WEB), outside, "TCP", 443)).verdict == "allow"
    incoming = global_policy(ingress=[{"action": "Allow", "source": {"selector": "kind == 'partner'"}}])
    assert ingress(incoming, partners, source="192.0.2.1") == "deny"


def _slice(addresses: list[str], number: int | None) -> PolicyObject:
    content = {"endpoints": [{"addresses": addresses}], "ports": [{"protocol": "TCP", "port": number}]}
    labels = {"kubernetes.io/service-name": "db"}
    return PolicyObject("discovery.k8s.io/v1", "EndpointSlice", "shop", "db-1", "", content, labels=labels)


def test_services_are_their_addresses_and_for_a_destination_their_ports() -> None:
    egress = policy(egress=[{"action": "Allow", "destination": {"services": {"name": "db"}}}])
    known = _slice(["10.0.0.2"], 5432)
    assert ask(egress, known, of=question(WEB, DB, 5432)).egress.action == "allow"
    assert ask(egress, known, of=question(WEB, DB, 80)).egress.action == "deny"
    assert ask(egress, _slice(["10.0.0.2"], None), of=question(WEB, DB, 80)).egress.action == "allow"
    assert ask(egress, known, of=question(WEB, PAY, 5432)).egress.action == "deny"
    assert _allows({"source": {"services": {"name": "db"}}}, _slice(["10.0.0.1"], 1)) == "allow"


def test_what_is_asked_of_the_own_end_counts_too() -> None:
    assert _allows({"destination": {"nets": ["10.0.0.2/32"]}}) == "allow"
    assert _allows({"destination": {"nets": ["10.0.0.3/32"]}}) == "deny"
    assert _allows({"destination": {"selector": "app == 'db'"}}, source="192.0.2.1") == "allow"
    rule = {"action": "Allow", "source": {"selector": "app == 'web'"}}
    assert ask(policy(egress=[rule])).egress.action == "allow"
    assert ask(policy(egress=[rule]), of=question(DB, WEB)).egress.action == "deny"


def test_pods_on_the_hosts_network_are_hosts() -> None:
    host = pod("agent", address="192.168.0.1", host_network=True)
    assert _allows({"source": {"selector": "all()"}}, source=host) == "deny"
    interface = PolicyObject(
        "projectcalico.org/v3", "HostEndpoint", "", "n1", "", {"expectedIPs": ["192.168.0.1"]}, labels={"role": "node"}
    )
    assert _allows_globally({"source": {"selector": "role == 'node'"}}, interface, source=host) == "allow"
