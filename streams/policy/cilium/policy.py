"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy in the internal form.

They stand beside NetworkPolicy: whoever is selected is let through by any rule of any of them that allows, and by none
that is denied. Source: docs.cilium.io, "Policy enforcement modes", "Deny policies".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from streams.metadata.endpoint import Endpoint
from streams.policy.cilium.labels import CiliumLabels, parse_endpoints
from streams.policy.cilium.peer import FIELDS, parse_peers
from streams.policy.cilium.port import parse_port_rule
from streams.policy.compilation import Compilation
from streams.policy.condition import Unknown
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, refuse_unknown, show
from streams.policy.object import PolicyObject
from streams.policy.policy import Action, Policy, Rule
from streams.policy.question import Direction
from streams.policy.selector import EVERYTHING, LabelSelector
from streams.policy.tier import NETWORK_POLICIES

_RULES: Final[Mapping[Direction, tuple[tuple[str, Action], ...]]] = {
    "ingress": (("ingress", "allow"), ("ingressDeny", "deny")),
    "egress": (("egress", "allow"), ("egressDeny", "deny")),
}
_FIELDS: Final = frozenset(
    {
        "endpointSelector",
        "nodeSelector",
        "ingress",
        "ingressDeny",
        "egress",
        "egressDeny",
        "enableDefaultDeny",
        "description",
        "labels",
    }
)


@dataclass(frozen=True, slots=True)
class EndpointSubject:
    """Pods by labels as Cilium sees them."""

    namespace: str | None
    pods: LabelSelector
    is_doubtful: bool = False

    def selects(self, pod: Endpoint) -> bool | None:
        """Tell whether the policy is about this pod."""
        if self.namespace not in (None, pod.namespace) or not self.pods.matches(CiliumLabels(pod)):
            return False
        return None if self.is_doubtful else True


def compile_cilium_policy(source: PolicyObject) -> Policy:
    """Compile one; never raises: what is wrong or not known is in the policy's faults."""
    compilation = Compilation(source.namespace)
    read = compilation.attempt(lambda: _parse_spec(source.spec), None)
    spec: Mapping[str, object] = {} if read is None else read
    pods = compilation.attempt(lambda: parse_endpoints(spec.get("endpointSelector"), "spec.endpointSelector"), None)
    isolating = compilation.attempt(lambda: _parse_isolating(spec), None)
    rules = {direction: () if read is None else _compile_rules(direction, spec, compilation) for direction in _RULES}
    if spec.get("nodeSelector") is not None:
        compilation.faults.append("spec.nodeSelector: not judged, it selects nodes")
        rules = dict.fromkeys(_RULES)
    return Policy(
        kind=source.kind,
        namespace=source.namespace,
        name=source.name,
        uid=source.uid,
        tier=NETWORK_POLICIES,
        subject=EndpointSubject(source.namespace or None, pods or EVERYTHING, pods is None),
        ingress=rules["ingress"],
        egress=rules["egress"],
        isolates=isolating or frozenset(),
        is_opaque=read is None or isolating is None,
        faults=tuple(compilation.faults),
    )


def _parse_spec(raw: object) -> Mapping[str, object]:
    if raw is None:
        raise PolicyFault("spec: missing; specs is not known here")
    spec = as_mapping(raw, "spec")
    refuse_unknown(spec, _FIELDS, "spec")
    return spec


def _parse_isolating(spec: Mapping[str, object]) -> frozenset[Direction]:
    """Each direction that has rules, unless it is said otherwise."""
    chosen = as_mapping(spec.get("enableDefaultDeny"), "spec.enableDefaultDeny")
    refuse_unknown(chosen, frozenset(_RULES), "spec.enableDefaultDeny")
    for name, value in chosen.items():
        if not isinstance(value, bool | None):
            raise PolicyFault(f"spec.enableDefaultDeny.{name}: expected true or false, got {show(value)}")
    return frozenset(
        direction
        for direction, fields in _RULES.items()
        if (
            any(spec.get(name) not in (None, []) for name, _ in fields)
            if chosen.get(direction) is None
            else chosen[direction]
        )
    )


def _compile_rules(
    direction: Direction, spec: Mapping[str, object], compilation: Compilation
) -> tuple[Rule, ...] | None:
    """None where the policy does not speak of the direction."""
    chosen = spec.get("enableDefaultDeny")
    is_named = isinstance(chosen, Mapping) and bool(chosen.get(direction))
    rules = [
        rule for name, action in _RULES[direction] for rule in _compile_list(name, action, direction, spec, compilation)
    ]
    return tuple(rules) if rules or is_named else None


def _compile_list(
    name: str, action: Action, direction: Direction, spec: Mapping[str, object], compilation: Compilation
) -> Iterator[Rule]:
    items = compilation.attempt(lambda: as_list(spec.get(name), f"spec.{name}"), None)
    if items is None:
        yield Rule(0, action, peers=(Unknown(f"spec.{name}"),))
    for index, item in enumerate(items or ()):
        yield _compile_rule(Rule(index, action), item, direction, f"spec.{name}[{index}]", compilation)


def _compile_rule(plain: Rule, raw: object, direction: Direction, where: str, compilation: Compilation) -> Rule:
    unreadable = Rule(plain.index, plain.action, peers=(Unknown(where),))
    return compilation.attempt(
        lambda: _parse_rule(plain, as_mapping(raw, where), direction, where, compilation), unreadable
    )


def _parse_rule(
    plain: Rule, rule: Mapping[str, object], direction: Direction, where: str, compilation: Compilation
) -> Rule:
    """A rule that names neither peers nor ports lets nobody through."""
    refuse_unknown(rule, frozenset(FIELDS[direction]) | {"toPorts"}, where)
    peers = parse_peers(rule, direction, where, compilation)
    ports = None
    if rule.get("toPorts") is not None:
        items = as_list(rule["toPorts"], f"{where}.toPorts")
        parse = partial(parse_port_rule, direction=direction)
        ports = compilation.alternatives(parse, items, f"{where}.toPorts") or None
    return Rule(plain.index, plain.action, peers=() if peers is None and ports is None else peers, ports=ports)
