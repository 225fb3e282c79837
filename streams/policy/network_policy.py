"""NetworkPolicy of networking.k8s.io/v1 in the internal form.

Semantics: Kubernetes API reference and its concept page "Network Policies". What the API server would refuse, or a
field of a later release, becomes a fault: its consequence stays with the rule, port or subject that it touches.
"""

from collections.abc import Iterable, Mapping

from streams.policy.compilation import Compilation
from streams.policy.condition import Condition, InNetwork, NamedPort, PodsAcross, PodsIn, PortRange, Unknown
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_port, as_protocol, refuse_unknown, show
from streams.policy.network import parse_network
from streams.policy.object import PolicyObject
from streams.policy.policy import Policy, Rule, Subject
from streams.policy.question import Direction
from streams.policy.selector import EVERYTHING, LabelSelector, parse_selector
from streams.policy.tier import NETWORK_POLICIES

_SPEC_FIELDS = frozenset({"podSelector", "policyTypes", "ingress", "egress"})
_PEER_FIELDS = frozenset({"podSelector", "namespaceSelector", "ipBlock"})
_BLOCK_FIELDS = frozenset({"cidr", "except"})
_PORT_FIELDS = frozenset({"protocol", "port", "endPort"})
_PEERS_FIELD: Mapping[Direction, str] = {"ingress": "from", "egress": "to"}


def compile_network_policy(source: PolicyObject) -> Policy:
    """Compile one; never raises: what is wrong is in the policy's faults."""
    compilation = Compilation(source.namespace)
    pods = compilation.attempt(lambda: _parse_subject(source.spec), None)
    spec = source.spec if isinstance(source.spec, Mapping) else {}
    directions = compilation.attempt(lambda: _parse_directions(spec), None)
    return Policy(
        kind=source.kind,
        namespace=source.namespace,
        name=source.name,
        uid=source.uid,
        tier=NETWORK_POLICIES,
        subject=Subject(
            source.namespace, EVERYTHING, pods or EVERYTHING, is_doubtful=pods is None or directions is None
        ),
        ingress=_compile_rules("ingress", spec, directions, compilation),
        egress=_compile_rules("egress", spec, directions, compilation),
        faults=tuple(compilation.faults),
    )


def _parse_subject(spec: object) -> LabelSelector:
    if spec is None:
        raise PolicyFault("spec: missing")
    fields = as_mapping(spec, "spec")
    refuse_unknown(fields, _SPEC_FIELDS, "spec")
    return parse_selector(fields.get("podSelector"), "spec.podSelector")


def _parse_directions(spec: Mapping[str, object]) -> frozenset[str]:
    """Omitted: ingress, and egress if it has such rules."""
    types = as_list(spec.get("policyTypes"), "spec.policyTypes")
    wrong = [show(item) for item in types if item not in ("Ingress", "Egress")]
    if wrong:
        raise PolicyFault(f"spec.policyTypes: expected Ingress or Egress, got {', '.join(wrong)}")
    if types:
        return frozenset(str(item).lower() for item in types)
    return frozenset({"ingress", "egress"} if spec.get("egress") else {"ingress"})


def _compile_rules(
    direction: Direction, spec: Mapping[str, object], directions: frozenset[str] | None, compilation: Compilation
) -> tuple[Rule, ...] | None:
    """The rules of a direction that the policy is, or may be, about."""
    if directions is not None and direction not in directions:
        return None
    where = f"spec.{direction}"
    items = compilation.attempt(lambda: as_list(spec.get(direction), where), None)
    if items is None:
        return (_unreadable(0, where),)
    return tuple(
        _compile_rule(index, item, direction, f"{where}[{index}]", compilation) for index, item in enumerate(items)
    )


def _compile_rule(index: int, raw: object, direction: Direction, where: str, compilation: Compilation) -> Rule:
    return compilation.attempt(
        lambda: _parse_rule(index, raw, direction, where, compilation), _unreadable(index, where)
    )


def _unreadable(index: int, where: str) -> Rule:
    return Rule(index, "allow", peers=(Unknown(where),))


def _parse_rule(index: int, raw: object, direction: Direction, where: str, compilation: Compilation) -> Rule:
    peers_field = _PEERS_FIELD[direction]
    rule = as_mapping(raw, where)
    refuse_unknown(rule, frozenset({peers_field, "ports"}), where)
    peers = as_list(rule.get(peers_field), f"{where}.{peers_field}")
    ports = as_list(rule.get("ports"), f"{where}.ports")

    def parse_peer(item: object, path: str) -> Iterable[Condition]:
        return (_parse_peer(item, path, compilation.namespace),)

    return Rule(
        index,
        "allow",
        peers=compilation.alternatives(parse_peer, peers, f"{where}.{peers_field}") or None,
        ports=compilation.alternatives(_parse_port, ports, f"{where}.ports") or None,
    )


def _parse_peer(raw: object, where: str, namespace: str) -> Condition:
    peer = as_mapping(raw, where)
    refuse_unknown(peer, _PEER_FIELDS, where)
    block, namespaces, pods = (peer.get(name) for name in ("ipBlock", "namespaceSelector", "podSelector"))
    if block is not None:
        if namespaces is not None or pods is not None:
            raise PolicyFault(f"{where}: ipBlock excludes podSelector and namespaceSelector")
        return _parse_block(block, f"{where}.ipBlock")
    if namespaces is None and pods is None:
        raise PolicyFault(f"{where}: needs podSelector, namespaceSelector or ipBlock")
    pod_match = parse_selector(pods, f"{where}.podSelector")
    if namespaces is None:
        return PodsIn(namespace, pod_match)
    return PodsAcross(parse_selector(namespaces, f"{where}.namespaceSelector"), pod_match)


def _parse_block(raw: object, where: str) -> Condition:
    fields = as_mapping(raw, where)
    refuse_unknown(fields, _BLOCK_FIELDS, where)
    block = parse_network(fields.get("cidr"), f"{where}.cidr")
    exceptions = tuple(
        parse_network(item, f"{where}.except[{index}]")
        for index, item in enumerate(as_list(fields.get("except"), f"{where}.except"))
    )
    if not all(block.covers(exception) for exception in exceptions):
        raise PolicyFault(f"{where}.except: must lie within cidr")
    return InNetwork(block, exceptions)


def _parse_port(raw: object, where: str) -> Iterable[Condition]:
    fields = as_mapping(raw, where)
    refuse_unknown(fields, _PORT_FIELDS, where)
    protocol = as_protocol(fields.get("protocol"), f"{where}.protocol")
    port, last = fields.get("port"), fields.get("endPort")
    if isinstance(port, str) and not port.isdigit() and last is None:
        return (NamedPort(protocol, port),)
    if port is None and last is None:
        return (PortRange(protocol),)
    first = as_port(port, f"{where}.port")
    end = first if last is None else as_port(last, f"{where}.endPort")
    if end < first:
        raise PolicyFault(f"{where}.endPort: {end} is below port {first}")
    return (PortRange(protocol, first, end),)
