"""Calico's flow log strings, `index|tier|kind:[namespace/]name|action|rule`, beside the hits of this project."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from tests.golden.policy.corpus import Case

_KINDS = {
    "np": "NetworkPolicy",
    "gnp": "GlobalNetworkPolicy",
    "knp": "NetworkPolicy",
    "snp": "StagedNetworkPolicy",
    "sgnp": "StagedGlobalNetworkPolicy",
    "sknp": "StagedKubernetesNetworkPolicy",
}
_SETS = ("NetworkSet", "GlobalNetworkSet")
_BITS_OF_A_BITMAP = 8
_OF_KUBERNETES = ("knp", "sknp")
_HIT = re.compile(
    r"(?P<kind>\w+):(?P<namespace>[^/]*)/(?P<name>[^:]+)(?::(?P<tier>[^:]+))?:rule=(?P<rule>-?\d+):(?P<action>\w+)"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a trace."""

    tier: str
    kind: str
    namespace: str
    name: str
    action: str
    rule: int


def expected_steps(case: Case, trace: list[str], direction: str) -> list[Step]:
    """Read Calico's strings; the profile of the namespace, which lets through what nothing spoke of, is no policy."""
    steps = []
    for text in trace:
        _, tier, policy, action, rule = text.split("|")
        kind, _, full_name = policy.partition(":")
        if kind == "pro":
            continue
        namespace, _, name = full_name.rpartition("/")
        index = int(rule)
        if kind in _OF_KUBERNETES and index >= 0:
            index = _rule_of_kubernetes(_spec(case, _KINDS[kind], namespace, name), direction, index)
        steps.append(Step(tier, _KINDS[kind], namespace, name, action, index))
    return steps


def as_calico_looks_up(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out of sets of networks what the checker that gave the verdicts does not find in them.

    Its tree of prefixes keeps the last eight bits as single addresses and never looks at prefixes of 25 to 31 bits
    (projectcalico/calico, app-policy/policystore/ipset.go, containsIP). The kernel's sets, which enforce, hold them.
    """
    return [_without_long_prefixes(item) if item["kind"] in _SETS else item for item in manifests]


def is_looked_up_wrongly(manifests: list[dict[str, Any]], *addresses: str) -> bool:
    """Tell whether one of the addresses lies in such a prefix."""
    blocks = [
        ip_network(net) for item in manifests if item["kind"] in _SETS for net in item["spec"]["nets"] if _is_long(net)
    ]
    return any(ip_address(address) in block for address in addresses for block in blocks)


def _without_long_prefixes(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "spec": {**item["spec"], "nets": [net for net in item["spec"]["nets"] if not _is_long(net)]}}


def _is_long(net: str) -> bool:
    network = ip_network(net)
    return 0 < network.max_prefixlen - network.prefixlen < _BITS_OF_A_BITMAP


def answered_steps(hits: Iterable[str]) -> list[Step]:
    """Read our hits; of the policies that share the end of a tier Calico names the first."""
    steps: list[Step] = []
    for step in map(_step, hits):
        is_end_named = bool(steps) and step.rule == steps[-1].rule == -1 and step.tier == steps[-1].tier
        if not is_end_named:
            steps.append(step)
    return steps


def _step(hit: str) -> Step:
    found = _HIT.fullmatch(hit)
    assert found, hit
    parts = found.groupdict()
    return Step(
        parts["tier"] or "default",
        parts["kind"],
        parts["namespace"],
        parts["name"],
        parts["action"],
        int(parts["rule"]),
    )


def _spec(case: Case, kind: str, namespace: str, name: str) -> dict[str, Any]:
    return next(
        item["spec"]
        for item in case.policies
        if (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]) == (kind, namespace, name)
        and (kind != "NetworkPolicy" or item["apiVersion"].startswith("networking.k8s.io/"))
    )


def _rule_of_kubernetes(spec: dict[str, Any], direction: str, index: int) -> int:
    """Calico makes one rule for each protocol and peer of a rule of Kubernetes."""
    peers = "from" if direction == "ingress" else "to"
    first = 0
    for number, rule in enumerate(spec[direction]):
        protocols = {port.get("protocol", "TCP") for port in rule.get("ports") or []}
        first += max(len(protocols), 1) * max(len(rule.get(peers) or []), 1)
        if index < first:
            return number
    raise AssertionError((spec, index))
