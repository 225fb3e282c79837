"""Policies as text: what applies them reads what was meant, and comments stay comments."""

import json

import pytest
import yaml

from conntrail.policy.recommend.calico import CALICO
from conntrail.policy.recommend.cilium import CILIUM
from conntrail.policy.recommend.dialect import Dialect, enforced
from conntrail.policy.recommend.network_policy import NETWORK_POLICY
from conntrail.policy.recommend.recommendation import Wish, recommend
from conntrail.policy.recommend.remark import failures, remarks
from conntrail.policy.recommend.text import comment, json_text, manifests
from conntrail.policy.words.label import given_labels
from tests.unit.conntrail.policy.cluster.builders import pod, snapshot
from tests.unit.conntrail.policy.recommend.builders import (
    DNS,
    NODES,
    PODS,
    end,
    history,
    on_node,
    outside,
    recommended,
    seen,
)

CLUSTER = snapshot(*NODES, *PODS, *DNS)
PAST = history(
    seen(end("web"), end("api"), 8080),
    seen(on_node("node1"), end("web"), 8080),
    seen(end("web"), outside("203.0.113.9"), 443, domains=("pay.example",)),
    seen(end("web"), outside("2001:db8::9"), 443),
    seen(end("api"), end("db", "data"), 5432),
    seen(end("api"), end("db", "data"), 0, protocol="ICMP"),
)
DIALECTS = [NETWORK_POLICY, CALICO, CILIUM]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.kind)
def test_yaml_and_json_are_the_same_objects_and_both_are_proven(dialect: Dialect) -> None:
    found = recommend(Wish(dialect), PAST, CLUSTER)
    assert not list(failures(found))
    from_yaml = list(yaml.safe_load_all(found.text))
    items = json.loads(json_text(manifests(found.drafts, dialect, is_staged=False)))["items"]
    evidence = [item["metadata"].pop("annotations")["conntrail.io/evidence"] for item in items]
    assert from_yaml == items
    assert all("first seen 2026-11-23T18:32:00Z, last seen 2026-11-23T19:32:00Z" in text for text in evidence)


def test_every_rule_stands_under_its_evidence() -> None:
    found = recommend(Wish(NETWORK_POLICY), PAST, CLUSTER)
    lines = found.text.splitlines()
    rule = lines.index("    - from:")
    assert lines[rule - 1] == (
        "    # shop/api: 3 connections in 5 flows, first seen 2026-11-23T18:32:00Z, last seen 2026-11-23T19:32:00Z"
    )
    assert any(line.startswith("# shop/web (ReplicaSet): 12 connections in 20 flows, ") for line in lines)
    assert any("203.0.113.9 (pay.example): " in line for line in lines)


@pytest.mark.parametrize("dialect", [NETWORK_POLICY, CALICO], ids=lambda dialect: dialect.api_version)
def test_staged_policies_are_the_same_ones_once_enforced(dialect: Dialect) -> None:
    found, staged = recommended(CLUSTER, PAST, dialect, is_staged=True)
    assert not list(failures(found))
    _, plain = recommended(CLUSTER, PAST, dialect)
    for name, manifest in staged.items():
        assert manifest != plain[name]
        assert enforced(manifest) == enforced(plain[name])


def test_staged_is_an_annotation_that_is_warned_of_and_with_calico_a_kind() -> None:
    found, staged = recommended(CLUSTER, PAST, NETWORK_POLICY, is_staged=True)
    assert "network plugins do not know the annotation" in next(remarks(found, NETWORK_POLICY, is_staged=True))
    assert staged["conntrail-web"]["metadata"]["annotations"] == {"conntrail.io/staged": "true"}
    _, staged = recommended(CLUSTER, PAST, CALICO, is_staged=True)
    assert staged["conntrail-web"]["kind"] == "StagedNetworkPolicy"
    assert staged["conntrail-web"]["spec"]["stagedAction"] == "Set"


def test_calico_names_what_network_policy_cannot() -> None:
    found, policies = recommended(CLUSTER, PAST, CALICO)
    assert {"action": "Allow", "protocol": "ICMP", "source": {
        "namespaceSelector": "kubernetes.io/metadata.name == 'shop'", "selector": "app == 'api'"}
    } in policies["conntrail-db"]["spec"]["ingress"]  # fmt: skip
    assert not any("WARNING" in line for line in remarks(found, CALICO))


def test_cilium_goes_by_names_where_flows_tell_them_and_by_entities_for_nodes() -> None:
    _, policies = recommended(CLUSTER, PAST, CILIUM)
    egress = policies["conntrail-web"]["spec"]["egress"]
    assert {
        "toFQDNs": [{"matchName": "pay.example"}],
        "toPorts": [{"ports": [{"port": "443", "protocol": "TCP"}]}],
    } in egress
    assert any(rule.get("toCIDRSet") == [{"cidr": "2001:db8::9/128"}] for rule in egress)
    assert {"rules": {"dns": [{"matchPattern": "*"}]}}.items() <= egress[-1]["toPorts"][0].items()
    [rule] = policies["conntrail-web"]["spec"]["ingress"]
    assert rule["fromEntities"] == ["host", "remote-node"]
    assert policies["conntrail-db"]["spec"]["egress"][0]["toEndpoints"], "DNS alone"


def test_cilium_without_names_says_so_and_isolates_by_an_empty_rule() -> None:
    past = history(seen(end("web"), outside("203.0.113.9"), 443))
    found, policies = recommended(snapshot(*NODES, *PODS), past, CILIUM)
    assert policies["conntrail-web"]["spec"]["ingress"] == [{}]
    assert "no flow tells by which name" in "\n".join(remarks(found, CILIUM))


@pytest.mark.parametrize("value", ["1e3", "y", "0o17", "true", "1_000", "12:30", "", "2026-11-23", "null", "~"])
def test_label_values_that_other_readers_take_for_numbers_are_quoted(value: str) -> None:
    cluster = snapshot(*NODES, pod("web-1", "10.0.0.1", labels={"app": value}), PODS[2])
    found, policies = recommended(cluster, history(seen(end("web"), end("api"), 1)))
    assert policies["conntrail-web"]["spec"]["podSelector"] == {"matchLabels": given_labels({"app": value})}
    assert f"app: '{value}'" in found.text


def test_no_name_ends_its_comment() -> None:
    text = comment(["a\nkind: Evil\r\x85\u2028b", "\x1b[31m"], 2)
    assert text.count("\n") == 2
    assert yaml.safe_load(text) is None
