"""NetworkPolicy of networking.k8s.io/v1 in the internal form.

Semantics: Kubernetes API reference and its concept page "Network Policies". What the API server would refuse, or a
field of a later release, becomes a fault: its consequence stays with the rule, port or subject that it touches.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from streams.policy.condition import Condition, InNetwork, NamedPort, PodsAcross, PodsIn, PortRange, Unknown
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, refuse_unknown, show
from streams.policy.network import parse_network
from streams.policy.object import PolicyObject
from streams.policy.policy import NETWORK_POLICIES, Policy, Rule, Subject
from streams.policy.question import Direction
from streams.policy.selector import EVERYTHING, LabelSelector, parse_selector

STAGED_ANNOTATION = "conntrail.io/staged"
_SPEC_FIELDS = frozenset({"podSelector", "policyTypes", "ingress", "egress"})
_PEER_FIELDS = frozenset({"podSelector", "namespaceSelector", "ipBlock"})
_BLOCK_FIELDS = frozenset({"cidr", "except"})
_PORT_FIELDS = frozenset({"protocol", "port", "endPort"})
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_LAST_PORT = 65535
_PEERS_FIELD: Mapping[Direction, str] = {"ingress": "from", "egress": "to"}


@dataclass(slots=True)
class _Compilation:
    """Collects faults on the way down, so that one of them does not hide the rest."""

    namespace: str
    faults: list[str] = field(default_factory=list)

    def attempt_all(
        self, parse: Callable[[object, str], Condition], items: Sequence[object], where: str
    ) -> tuple[Condition, ...] | None:
        """Compile the alternatives; an empty list asks nothing."""
        if not items:
            return None
        return tuple(self._attempt(parse, item, f"{where}[{index}]") for index, item in enumerate(items))

    def _attempt(self, parse: Callable[[object, str], Condition], raw: object, where: str) -> Condition:
        try:
            return parse(raw, where)
        except PolicyFault as fault:
            self.faults.append(str(fault))
            return Unknown(str(fault))


def compile_network_policy(source: PolicyObject) -> Policy:
    """Compile one; never raises: what is wrong is in the policy's faults."""
    compilation = _Compilation(source.namespace)
    subject = _compile_subject(source, compilation)
    spec = source.spec if isinstance(source.spec, Mapping) else {}
    directions = _compile_directions(spec, compilation)
    doubtful = subject.is_doubtful or directions is None
    return Policy(
        kind=source.kind,
        namespace=source.namespace,
        name=source.name,
        uid=source.uid,
        tier=NETWORK_POLICIES,
        subject=Subject(subject.namespace, subject.namespaces, subject.pods, is_doubtful=doubtful),
        ingress=_compile_rules("ingress", spec, directions, compilation),
        egress=_compile_rules("egress", spec, directions, compilation),
        is_staged=source.annotations.get(STAGED_ANNOTATION) == "true",
        faults=tuple(compilation.faults),
    )


def _compile_subject(source: PolicyObject, compilation: _Compilation) -> Subject:
    """The pods it is about; where the selector cannot be read, maybe any pod of the namespace."""
    try:
        pods = _parse_subject(source.spec)
    except PolicyFault as fault:
        compilation.faults.append(str(fault))
        return Subject(source.namespace, EVERYTHING, EVERYTHING, is_doubtful=True)
    return Subject(source.namespace, EVERYTHING, pods)


def _parse_subject(spec: object) -> LabelSelector:
    if spec is None:
        raise PolicyFault("spec: missing")
    fields = as_mapping(spec, "spec")
    refuse_unknown(fields, _SPEC_FIELDS, "spec")
    return parse_selector(fields.get("podSelector"), "spec.podSelector")


def _compile_directions(spec: Mapping[str, object], compilation: _Compilation) -> frozenset[object] | None:
    """The directions it is about; None when they cannot be read."""
    try:
        return _parse_directions(spec)
    except PolicyFault as fault:
        compilation.faults.append(str(fault))
        return None


def _parse_directions(spec: Mapping[str, object]) -> frozenset[object]:
    """Omitted: ingress, and egress if it has such rules."""
    types = as_list(spec.get("policyTypes"), "spec.policyTypes")
    wrong = [show(item) for item in types if item not in ("Ingress", "Egress")]
    if wrong:
        raise PolicyFault(f"spec.policyTypes: expected Ingress or Egress, got {', '.join(wrong)}")
    if types:
        return frozenset(str(item).lower() for item in types)
    return frozenset({"ingress", "egress"} if spec.get("egress") else {"ingress"})


def _compile_rules(
    direction: Direction, spec: Mapping[str, object], directions: frozenset[object] | None, compilation: _Compilation
) -> tuple[Rule, ...] | None:
    if directions is not None and direction not in directions:
        return None
    where = f"spec.{direction}"
    try:
        rules = as_list(spec.get(direction), where)
    except PolicyFault as fault:
        compilation.faults.append(str(fault))
        return (Rule(0, "allow", peers=(Unknown(str(fault)),)),)
    return tuple(
        _compile_rule(index, item, direction, f"{where}[{index}]", compilation) for index, item in enumerate(rules)
    )


def _compile_rule(index: int, raw: object, direction: Direction, where: str, compilation: _Compilation) -> Rule:
    peers_field = _PEERS_FIELD[direction]
    try:
        rule = as_mapping(raw, where)
        refuse_unknown(rule, frozenset({peers_field, "ports"}), where)
        peers = as_list(rule.get(peers_field), f"{where}.{peers_field}")
        ports = as_list(rule.get("ports"), f"{where}.ports")
    except PolicyFault as fault:
        compilation.faults.append(str(fault))
        return Rule(index, "allow", peers=(Unknown(str(fault)),))

    def parse_peer(item: object, path: str) -> Condition:
        return _parse_peer(item, path, compilation.namespace)

    return Rule(
        index,
        "allow",
        peers=compilation.attempt_all(parse_peer, peers, f"{where}.{peers_field}"),
        ports=compilation.attempt_all(_parse_port, ports, f"{where}.ports"),
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


def _parse_port(raw: object, where: str) -> Condition:
    fields = as_mapping(raw, where)
    refuse_unknown(fields, _PORT_FIELDS, where)
    protocol = fields.get("protocol") or "TCP"
    if protocol not in _PROTOCOLS:
        raise PolicyFault(f"{where}.protocol: expected TCP, UDP or SCTP, got {show(protocol)}")
    port, last = fields.get("port"), fields.get("endPort")
    if isinstance(port, str) and not port.isdigit() and last is None:
        return NamedPort(str(protocol), port)
    if port is None and last is None:
        return PortRange(str(protocol))
    first = _parse_number(port, f"{where}.port")
    end = first if last is None else _parse_number(last, f"{where}.endPort")
    if end < first:
        raise PolicyFault(f"{where}.endPort: {end} is below port {first}")
    return PortRange(str(protocol), first, end)


def _parse_number(raw: object, where: str) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not 1 <= raw <= _LAST_PORT:
        raise PolicyFault(f"{where}: expected a port from 1 to {_LAST_PORT}, got {show(raw)}")
    return raw
