"""Policies of Calico in the internal form: NetworkPolicy, GlobalNetworkPolicy and their staged kinds.

Semantics: docs.tigera.io, "Network policy", "Global network policy", "Staged network policy".
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from streams.policy.calico.expression import ALL, Expression, both
from streams.policy.calico.parse import parse_expression
from streams.policy.calico.rule import compile_rules
from streams.policy.calico.selection import SelectedSubject, parse_accounts, parse_namespaces
from streams.policy.calico.tier import DEFAULT_TIER, unplaced
from streams.policy.compilation import Compilation
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_number, as_text, refuse_unknown, show
from streams.policy.network_policy import compile_network_policy
from streams.policy.object import PolicyObject
from streams.policy.policy import Policy
from streams.policy.question import Direction
from streams.policy.reference import references
from streams.policy.referent import ReferentKind

_FIELDS: Final = frozenset(
    {"order", "tier", "ingress", "egress", "selector", "types", "serviceAccountSelector", "performanceHints"}
)
_GLOBAL_FIELDS: Final = frozenset({"namespaceSelector", "applyOnForward", "doNotTrack", "preDNAT"})
_STAGED: Final = "Staged"
_TIER: Final = frozenset[ReferentKind]({"tier"})
_HOST_FIELDS: Final = ("doNotTrack", "preDNAT")
_DIRECTIONS: Final[Mapping[Direction, str]] = {"ingress": "Ingress", "egress": "Egress"}


def compile_calico_policy(source: PolicyObject) -> Policy:
    """Compile one; never raises: what is wrong is in the policy's faults."""
    compilation = Compilation(source.namespace)
    read = compilation.attempt(lambda: _parse_spec(source), None)
    # What is not understood at all may be anywhere, about anything and in both directions.
    spec: Mapping[str, object] = {"types": list(_DIRECTIONS.values())} if read is None else read
    place = compilation.attempt(lambda: _parse_place(spec), None)
    directions = compilation.attempt(lambda: _parse_directions(spec), None)
    selected = compilation.attempt(lambda: _parse_selected(spec), None)
    tier_name, order = place or ("", math.inf)
    is_doubtful = directions is None or selected is None
    rules = {
        direction: compile_rules(direction, spec, compilation)
        if directions is None or direction in directions
        else None
        for direction in _DIRECTIONS
    }
    policy = Policy(
        kind=source.kind,
        namespace=source.namespace,
        name=source.name,
        uid=source.uid,
        tier=unplaced(tier_name),
        tier_name=tier_name,
        order=order,
        tie=tie_of(source),
        subject=SelectedSubject(source.namespace or None, selected or ALL, is_doubtful),
        ingress=rules["ingress"],
        egress=rules["egress"],
        is_opaque=_is_for_hosts(spec, compilation) or read is None or place is None,
        faults=tuple(compilation.faults),
    )
    policy = replace(policy, refers_to=_TIER.union(*(item.kinds() for item in references(policy))))
    return _stage(source, policy) if source.kind.startswith(_STAGED) else policy


def compile_staged_kubernetes_policy(source: PolicyObject) -> Policy:
    """Compile a NetworkPolicy of Kubernetes that Calico keeps staged.

    No API server fills in its policyTypes, and Calico takes none for ingress alone, even where egress has rules.
    """
    spec = source.spec
    if isinstance(spec, Mapping):
        spec = {name: value for name, value in spec.items() if name != "stagedAction"}
        spec["policyTypes"] = spec.get("policyTypes") or ["Ingress"]
    policy = compile_network_policy(replace(source, spec=spec))
    return _stage(source, replace(policy, tie=tie_of(source), refers_to=_TIER))


def tie_of(source: PolicyObject) -> str:
    """What Calico orders policies of equal order by."""
    return f"{source.name}/{source.namespace}/{source.kind}"


def _stage(source: PolicyObject, policy: Policy) -> Policy:
    """A staged deletion is no policy: it says that the policy of its name will go."""
    action = source.spec.get("stagedAction") if isinstance(source.spec, Mapping) else None
    if action in (None, "Set"):
        return replace(policy, is_staged=True)
    if action == "Delete":
        kind = source.kind.removeprefix(_STAGED).removeprefix("Kubernetes")
        return replace(policy, is_staged=True, ingress=None, egress=None, faults=(), deletes=kind)
    fault = f"spec.stagedAction: expected Set or Delete, got {show(action)}"
    return replace(policy, is_staged=True, is_opaque=True, faults=(*policy.faults, fault))


def _parse_spec(source: PolicyObject) -> Mapping[str, object]:
    if source.spec is None:
        raise PolicyFault("spec: missing")
    spec = as_mapping(source.spec, "spec")
    known = _FIELDS if source.namespace else _FIELDS | _GLOBAL_FIELDS
    refuse_unknown(spec, known | {"stagedAction"} if source.kind.startswith(_STAGED) else known, "spec")
    return spec


def _parse_place(spec: Mapping[str, object]) -> tuple[str, float]:
    """A policy without an order comes last."""
    tier = as_text(spec.get("tier") or DEFAULT_TIER.name, "spec.tier")
    return tier, math.inf if spec.get("order") is None else as_number(spec["order"], "spec.order")


def _parse_directions(spec: Mapping[str, object]) -> frozenset[Direction]:
    """Omitted: those that have rules, ingress if none has."""
    types = as_list(spec.get("types"), "spec.types")
    if not types:
        return frozenset(direction for direction in _DIRECTIONS if spec.get(direction)) or frozenset({"ingress"})
    wrong = [show(item) for item in types if item not in _DIRECTIONS.values()]
    if wrong:
        raise PolicyFault(f"spec.types: expected Ingress or Egress, got {', '.join(wrong)}")
    return frozenset(direction for direction, name in _DIRECTIONS.items() if name in types)


def _parse_selected(spec: Mapping[str, object]) -> Expression:
    parsers: Mapping[str, Callable[[object, str], Expression]] = {
        "selector": parse_expression,
        "namespaceSelector": parse_namespaces,
        "serviceAccountSelector": parse_accounts,
    }
    return both(parse(spec[name], f"spec.{name}") for name, parse in parsers.items() if spec.get(name))


def _is_for_hosts(spec: Mapping[str, object], compilation: Compilation) -> bool:
    """Whether it acts on hosts before their connections are known; also note what else it does at hosts."""
    found = [name for name in _HOST_FIELDS if spec.get(name)]
    compilation.faults.extend(f"spec.{name}: not judged, it acts on the interfaces of hosts" for name in found)
    if spec.get("applyOnForward") and not found:
        compilation.faults.append("spec.applyOnForward: judged at pods only, not at the interfaces of hosts")
    return bool(found)
