"""Rules of Calico in the internal form: what they ask of the peer, of the policy's own end and of the port."""

from collections.abc import Mapping
from typing import Final

from streams.policy.calico.entity import parse_destination, parse_source
from streams.policy.calico.http import parse_http
from streams.policy.calico.protocol import parse_protocol, with_type
from streams.policy.combination import AllOf, AtOwnEnd, NoneOf
from streams.policy.compilation import Compilation
from streams.policy.condition import Condition, OfFamily, OfProtocol, Unknown
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_text, refuse_unknown, show
from streams.policy.policy import Action, Rule
from streams.policy.question import Direction

_FIELDS: Final = frozenset(
    {
        "action",
        "ipVersion",
        "protocol",
        "notProtocol",
        "icmp",
        "notICMP",
        "source",
        "destination",
        "http",
        "metadata",
    }
)
_ACTIONS: Final[Mapping[str, Action]] = {"Allow": "allow", "Deny": "deny", "Pass": "pass", "Log": "log"}
_FAMILIES: Final = (4, 6)


def compile_rules(direction: Direction, spec: Mapping[str, object], compilation: Compilation) -> tuple[Rule, ...]:
    """Compile the rules of a direction; one that cannot be read may match or not."""
    where = f"spec.{direction}"
    items = compilation.attempt(lambda: as_list(spec.get(direction), where), None)
    if items is None:
        return (_unreadable(0, "pass", where),)
    return tuple(
        _compile_rule(index, item, direction, f"{where}[{index}]", compilation) for index, item in enumerate(items)
    )


def _compile_rule(index: int, raw: object, direction: Direction, where: str, compilation: Compilation) -> Rule:
    action = compilation.attempt(lambda: _parse_action(raw, where), None)
    if action is None:
        # A pass agrees with no other decision, so that whatever it might have been stays open.
        return _unreadable(index, "pass", where)
    return compilation.attempt(
        lambda: _parse_rule(index, action, as_mapping(raw, where), direction, compilation),
        _unreadable(index, action, where),
    )


def _unreadable(index: int, action: Action, where: str) -> Rule:
    return Rule(index, action, peers=(Unknown(where),))


def _parse_action(raw: object, where: str) -> Action:
    action = _ACTIONS.get(as_text(as_mapping(raw, where).get("action"), f"{where}.action"))
    if action is None:
        raise PolicyFault(
            f"{where}.action: expected Allow, Deny, Pass or Log, got {show(as_mapping(raw, where)['action'])}"
        )
    return action


def _parse_rule(
    index: int, action: Action, rule: Mapping[str, object], direction: Direction, compilation: Compilation
) -> Rule:
    where = f"spec.{direction}[{index}]"
    refuse_unknown(rule, _FIELDS, where)
    protocol = None if rule.get("protocol") is None else parse_protocol(rule["protocol"], f"{where}.protocol")
    source = parse_source(rule.get("source"), f"{where}.source", compilation)
    destination, ports = parse_destination(rule.get("destination"), protocol, f"{where}.destination", compilation)
    peer, own = (source, destination) if direction == "ingress" else (destination, source)
    asked_of_ends = (*peer, *((AtOwnEnd(own),) if own else ()))
    asked_of_traffic = (*_parse_traffic(rule, protocol, where, compilation), *ports)
    return Rule(index, action, peers=_together(asked_of_ends), ports=_together(asked_of_traffic))


def _together(conditions: tuple[Condition, ...]) -> tuple[Condition, ...] | None:
    return (AllOf(conditions),) if len(conditions) > 1 else conditions or None


def _parse_traffic(
    rule: Mapping[str, object], protocol: str | None, where: str, compilation: Compilation
) -> list[Condition]:
    asked: list[Condition] = []
    if protocol is not None:
        asked.append(OfProtocol(protocol))
    if rule.get("notProtocol") is not None:
        asked.append(NoneOf((OfProtocol(parse_protocol(rule["notProtocol"], f"{where}.notProtocol")),)))
    if rule.get("ipVersion") is not None:
        if rule["ipVersion"] not in _FAMILIES:
            raise PolicyFault(f"{where}.ipVersion: expected 4 or 6, got {show(rule['ipVersion'])}")
        asked.append(OfFamily(rule["ipVersion"]))
    if rule.get("icmp"):
        asked.append(_icmp(f"{where}.icmp", compilation))
    if rule.get("notICMP"):
        asked.append(NoneOf((_icmp(f"{where}.notICMP", compilation),)))
    if rule.get("http") is not None:
        asked.append(parse_http(rule["http"], f"{where}.http"))
    return asked


def _icmp(where: str, compilation: Compilation) -> Condition:
    fault = f"{where}: cannot be judged, types of ICMP messages are in no record"
    compilation.faults.append(fault)
    return with_type(fault)
