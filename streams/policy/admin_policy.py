"""Policies of the whole cluster, of policy.networking.k8s.io: AdminNetworkPolicy and BaselineAdminNetworkPolicy
v1alpha1, ClusterNetworkPolicy v1alpha2.

Semantics: network-policy-api.sigs.k8s.io, its API reference. Nobody is isolated: in a tier the first rule that matches
decides, by ascending priority, and Pass hands the connection to the next tier.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streams.policy.compilation import Compilation
from streams.policy.condition import Condition, InNetwork, NamedBy, NamedPort, OnNodes, PodsAcross, PortRange, Unknown
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_port, as_protocol, as_text, as_texts, refuse_unknown, show
from streams.policy.network import parse_network
from streams.policy.object import PolicyObject
from streams.policy.policy import Action, Policy, Rule, Subject
from streams.policy.question import Direction
from streams.policy.selector import EVERYTHING, LabelSelector, parse_selector
from streams.policy.tier import ADMIN, BASELINE, Tier

_LAST_PRIORITY = 1000
_ACTIONS: Mapping[str, Action] = {"Allow": "allow", "Accept": "allow", "Deny": "deny", "Pass": "pass"}
_PEERS_FIELD: Mapping[Direction, str] = {"ingress": "from", "egress": "to"}
_TIERS = {"Admin": ADMIN, "Baseline": BASELINE}


@dataclass(frozen=True, slots=True)
class _Place:
    tier: Tier
    priority: int


def compile_admin_policy(source: PolicyObject) -> Policy:
    """Compile one; never raises: what is wrong is in the policy's faults."""
    compilation = Compilation("")
    read = compilation.attempt(lambda: _parse_spec(source), None)
    spec: Mapping[str, object] = {} if read is None else read
    subject = compilation.attempt(lambda: _parse_subject(spec.get("subject")), None)
    place = compilation.attempt(lambda: _parse_place(source.kind, spec), None)
    ingress, egress = (_compile_rules(direction, source.kind, spec, compilation) for direction in ("ingress", "egress"))
    tier = ADMIN if place is None else place.tier
    return Policy(
        kind=source.kind,
        namespace="",
        name=source.name,
        uid=source.uid,
        tier=tier,
        tier_name=tier.name,
        order=0.0 if place is None else float(place.priority),
        subject=Subject(None, EVERYTHING, EVERYTHING, is_doubtful=True) if subject is None else subject,
        ingress=() if read is None else ingress,
        egress=() if read is None else egress,
        is_opaque=place is None,
        faults=tuple(compilation.faults),
    )


def _parse_spec(source: PolicyObject) -> Mapping[str, object]:
    if source.spec is None:
        raise PolicyFault("spec: missing")
    spec = as_mapping(source.spec, "spec")
    places = {"AdminNetworkPolicy": {"priority"}, "ClusterNetworkPolicy": {"priority", "tier"}}.get(source.kind, set())
    refuse_unknown(spec, frozenset({"subject", "ingress", "egress", *places}), "spec")
    return spec


def _parse_place(kind: str, spec: Mapping[str, object]) -> _Place:
    if kind == "BaselineAdminNetworkPolicy":
        return _Place(BASELINE, 0)
    priority = spec.get("priority")
    if not isinstance(priority, int) or isinstance(priority, bool) or not 0 <= priority <= _LAST_PRIORITY:
        raise PolicyFault(f"spec.priority: expected a number from 0 to {_LAST_PRIORITY}, got {show(priority)}")
    if kind == "AdminNetworkPolicy":
        return _Place(ADMIN, priority)
    tier = _TIERS.get(as_text(spec.get("tier"), "spec.tier"))
    if tier is None:
        raise PolicyFault(f"spec.tier: expected Admin or Baseline, got {show(spec.get('tier'))}")
    return _Place(tier, priority)


def _parse_subject(raw: object) -> Subject:
    where = "spec.subject"
    name, value = _parse_choice(raw, where, {"namespaces", "pods"})
    if name == "namespaces":
        return Subject(None, _parse_namespaces(value, f"{where}.namespaces"), EVERYTHING)
    return Subject(None, *_parse_pods(value, f"{where}.pods"))


def _compile_rules(
    direction: Direction, kind: str, spec: Mapping[str, object], compilation: Compilation
) -> tuple[Rule, ...] | None:
    where = f"spec.{direction}"
    items = compilation.attempt(lambda: as_list(spec.get(direction), where), None)
    if items is None:
        return (_unreadable(0, where),)
    return tuple(_compile_rule(index, item, direction, kind, compilation) for index, item in enumerate(items)) or None


def _compile_rule(index: int, raw: object, direction: Direction, kind: str, compilation: Compilation) -> Rule:
    where = f"spec.{direction}[{index}]"
    return compilation.attempt(lambda: _parse_rule(index, raw, direction, kind, compilation), _unreadable(index, where))


def _unreadable(index: int, where: str) -> Rule:
    return Rule(index, "deny", peers=(Unknown(where),))


def _parse_rule(index: int, raw: object, direction: Direction, kind: str, compilation: Compilation) -> Rule:
    where = f"spec.{direction}[{index}]"
    peers_field = _PEERS_FIELD[direction]
    ports_field = "protocols" if kind == "ClusterNetworkPolicy" else "ports"
    rule = as_mapping(raw, where)
    refuse_unknown(rule, frozenset({"name", "action", peers_field, ports_field}), where)
    action = _ACTIONS.get(as_text(rule.get("action"), f"{where}.action"))
    if action is None:
        raise PolicyFault(f"{where}.action: expected Accept, Deny or Pass, got {show(rule.get('action'))}")
    peers = as_list(rule.get(peers_field), f"{where}.{peers_field}")
    if not peers:
        raise PolicyFault(f"{where}.{peers_field}: needs a peer")
    ports = as_list(rule.get(ports_field), f"{where}.{ports_field}")

    def parse_peer(item: object, path: str) -> Iterable[Condition]:
        return _parse_peer(item, path, direction, action)

    return Rule(
        index,
        action,
        peers=compilation.alternatives(parse_peer, peers, f"{where}.{peers_field}"),
        ports=compilation.alternatives(
            _parse_protocol if ports_field == "protocols" else _parse_port, ports, f"{where}.{ports_field}"
        )
        or None,
    )


def _parse_peer(raw: object, where: str, direction: Direction, action: Action) -> Iterable[Condition]:
    """Outside traffic is no peer of an ingress rule at all."""
    known = {"namespaces", "pods"}
    if direction == "egress":
        known |= {"networks", "nodes", "domainNames"}
    name, value = _parse_choice(raw, where, known)
    path = f"{where}.{name}"
    match name:
        case "namespaces":
            return (PodsAcross(_parse_namespaces(value, path), EVERYTHING),)
        case "pods":
            return (PodsAcross(*_parse_pods(value, path)),)
        case "nodes":
            return (OnNodes(parse_selector(value, path)),)
        case "networks":
            networks = as_texts(value, path)
            return [InNetwork(parse_network(item, f"{path}[{index}]")) for index, item in enumerate(networks)]
        case _:
            if action != "allow":
                raise PolicyFault(f"{path}: only a rule that accepts may name domains")
            return [NamedBy(item.lower().rstrip(".")) for item in as_texts(value, path)]


def _parse_choice(raw: object, where: str, known: set[str]) -> tuple[str, object]:
    """The one field that is set."""
    fields = as_mapping(raw, where)
    refuse_unknown(fields, frozenset(known), where)
    chosen = [(name, value) for name, value in fields.items() if value is not None]
    if len(chosen) != 1:
        raise PolicyFault(f"{where}: needs exactly one of {', '.join(sorted(known))}")
    return chosen[0]


def _parse_namespaces(raw: object, where: str) -> LabelSelector:
    """Releases before v0.1.5 have the selector one level deeper."""
    fields = as_mapping(raw, where)
    if "namespaceSelector" in fields:
        refuse_unknown(fields, frozenset({"namespaceSelector"}), where)
        return parse_selector(fields["namespaceSelector"], f"{where}.namespaceSelector")
    return parse_selector(fields, where)


def _parse_pods(raw: object, where: str) -> tuple[LabelSelector, LabelSelector]:
    fields = as_mapping(raw, where)
    refuse_unknown(fields, frozenset({"namespaceSelector", "podSelector"}), where)
    return (
        parse_selector(fields.get("namespaceSelector"), f"{where}.namespaceSelector"),
        parse_selector(fields.get("podSelector"), f"{where}.podSelector"),
    )


def _parse_port(raw: object, where: str) -> Iterable[Condition]:
    """A port of v1alpha1."""
    name, value = _parse_choice(raw, where, {"portNumber", "portRange", "namedPort"})
    path = f"{where}.{name}"
    if name == "namedPort":
        return (NamedPort("", as_text(value, path)),)
    fields = as_mapping(value, path)
    bounds = ("port", "port") if name == "portNumber" else ("start", "end")
    refuse_unknown(fields, frozenset({"protocol", *bounds}), path)
    return (_parse_range(as_protocol(fields.get("protocol"), f"{path}.protocol"), fields, bounds, path),)


def _parse_protocol(raw: object, where: str) -> Iterable[Condition]:
    """A protocol of v1alpha2, with or without its port."""
    name, value = _parse_choice(raw, where, {"tcp", "udp", "sctp", "destinationNamedPort"})
    path = f"{where}.{name}"
    if name == "destinationNamedPort":
        return (NamedPort("", as_text(value, path)),)
    fields = as_mapping(value, path)
    refuse_unknown(fields, frozenset({"destinationPort"}), path)
    if fields.get("destinationPort") is None:
        return (PortRange(name.upper()),)
    kind, port = _parse_choice(fields["destinationPort"], f"{path}.destinationPort", {"number", "range"})
    if kind == "number":
        number = as_port(port, f"{path}.destinationPort.number")
        return (PortRange(name.upper(), number, number),)
    limits = as_mapping(port, f"{path}.destinationPort.range")
    refuse_unknown(limits, frozenset({"start", "end"}), f"{path}.destinationPort.range")
    return (_parse_range(name.upper(), limits, ("start", "end"), f"{path}.destinationPort.range"),)


def _parse_range(protocol: str, fields: Mapping[str, object], bounds: tuple[str, str], where: str) -> PortRange:
    first, last = (as_port(fields.get(bound), f"{where}.{bound}") for bound in bounds)
    if last < first:
        raise PolicyFault(f"{where}.{bounds[1]}: {last} is below {first}")
    return PortRange(protocol, first, last)
