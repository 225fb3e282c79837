"""Rules by name and by request, judged on flows and exchanges without an entry in the memory for each name."""

from typing import Any

import polars as pl
import pytest

from streams.policy.judge import judge
from streams.policy.object import PolicyObject
from streams.policy.timeline import PolicyTimeline
from streams.policy.verdict_cache import Asked
from tests.unit.streams.policy.builders import START, Endpoints, matched, pod, policy_object, timeline

WEB, DB = pod("web", address="10.0.0.1"), pod("db", address="10.0.0.2")
ENDS = Endpoints([WEB, DB])
OUTSIDE = {"v4": "203.0.113.9", "v6": "2001:db8::9"}
KINDS = ("cluster", "calico", "cilium")


def by_name(kind: str) -> tuple[PolicyObject, ...]:
    """What lets ``web`` out to a.example and nowhere else."""
    spec: Any
    if kind == "calico":
        rule = {"action": "Allow", "destination": {"domains": ["a.example"]}}
        spec = {"selector": "app == 'web'", "types": ["Egress"], "egress": [rule]}
        return (PolicyObject("projectcalico.org/v3", "NetworkPolicy", "shop", "p", "uid-p", spec),)
    if kind == "cilium":
        spec = {
            "endpointSelector": {"matchLabels": {"app": "web"}},
            "egress": [{"toFQDNs": [{"matchName": "a.example"}]}],
        }
        return (PolicyObject("cilium.io/v2", "CiliumNetworkPolicy", "shop", "p", "uid-p", spec),)
    rules = [{"action": "Accept", "to": [{"domainNames": ["a.example"]}]}]
    spec = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}, "egress": rules}
    isolating = policy_object({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]}, "isolate")
    return (
        PolicyObject("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "", "p", "uid-p", spec),
        isolating,
    )


def verdict(policies: PolicyTimeline, names: str | None, *, is_unnamed: bool = False, **facts: Any) -> str:
    row = {"destination_index": None, "destination_address": OUTSIDE["v4"], **facts}
    told = {"destination_names": names, "is_destination_unnamed": is_unnamed}
    columns = [
        pl.Series(name, [value], pl.Boolean() if name[0] == "i" else pl.String()) for name, value in told.items()
    ]
    return str(judge(matched(row).with_columns(columns), ENDS, policies)["policy_verdict"][0])


@pytest.mark.parametrize("address", OUTSIDE.values(), ids=OUTSIDE)
@pytest.mark.parametrize("kind", KINDS)
def test_a_destination_is_judged_by_the_names_that_were_looked_up(kind: str, address: str) -> None:
    known = timeline(*by_name(kind))
    facts = {"destination_address": address}
    assert verdict(known, "b.example a.example", **facts) == "allow"
    assert verdict(known, "b.example", **facts) == "deny"
    assert verdict(known, None, is_unnamed=True, **facts) == "deny"
    assert verdict(known, None, **facts) == "unknown"


def test_an_address_that_was_translated_is_not_the_one_that_was_looked_up() -> None:
    assert verdict(timeline(*by_name("calico")), "a.example", dialled_address="203.0.113.1") == "unknown"


def test_names_take_no_room_where_no_policy_asks_for_them() -> None:
    known = timeline(policy_object({"podSelector": {}, "policyTypes": ["Egress"]}))
    epoch = known.epoch_at(START)
    source = known.verdicts.classify(0, WEB, "10.0.0.1")
    destination = known.verdicts.classify(None, None, OUTSIDE["v4"])
    for number in range(100):
        asked = Asked("TCP", 443, (f"{number}.example",), ("GET", f"/{number}"))
        known.verdicts.verdict(epoch, source, destination, asked)
    assert len(known.verdicts) == 2
    assert not known.uses_names


def test_many_names_are_worked_out_once_where_the_same_rules_hold() -> None:
    known = timeline(*by_name("cilium"))
    epoch = known.epoch_at(START)
    source = known.verdicts.classify(0, WEB, "10.0.0.1")
    destination = known.verdicts.classify(None, None, OUTSIDE["v4"])
    for number in range(100):
        known.verdicts.verdict(epoch, source, destination, Asked("TCP", 443, (f"{number}.example",)))
    assert known.verdicts.evaluations == 1
    assert known.uses_names


def test_names_of_a_network_set_count_for_the_policies_that_select_it() -> None:
    rule = {"action": "Allow", "destination": {"selector": "role == 'partner'"}}
    spec = {"selector": "app == 'web'", "types": ["Egress"], "egress": [rule]}
    policy = PolicyObject("projectcalico.org/v3", "NetworkPolicy", "shop", "p", "uid-p", spec)
    names = {"allowedEgressDomains": ["a.example"]}
    networks = PolicyObject(
        "projectcalico.org/v3", "NetworkSet", "shop", "partners", "uid-n", names, labels={"role": "partner"}
    )
    known = timeline(policy, networks)
    assert known.uses_names
    assert verdict(known, "a.example") == "allow"
    assert verdict(known, "b.example") == "deny"
