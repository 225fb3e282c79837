"""The ports of a rule of Cilium, and what it lets through them.

Source: docs.cilium.io, "Layer 4 policies", "Layer 7 policies".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from streams.policy.cilium.query import parse_queries
from streams.policy.cilium.request import parse_requests
from streams.policy.combination import AllOf, AnyOf
from streams.policy.condition import Condition, NamedPort, OfProtocol, PortRange
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_port, as_text, refuse_unknown, show
from streams.policy.question import Direction

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")


def parse_port_rule(raw: object, where: str, direction: Direction) -> Iterator[Condition]:
    """Read an item of toPorts."""
    rule = as_mapping(raw, where)
    refuse_unknown(rule, frozenset({"ports", "rules"}), where)
    items = as_list(rule.get("ports"), f"{where}.ports")
    ports = AnyOf(tuple(_parse_port(item, f"{where}.ports[{index}]") for index, item in enumerate(items)))
    # Without a list the rule is about requests on every port.
    asked: tuple[Condition, ...] = (ports,) if items else (AnyOf(tuple(map(OfProtocol, _PROTOCOLS))),)
    yield AllOf((*asked, *_parse_content(as_mapping(rule.get("rules"), f"{where}.rules"), items, direction, where)))


def _parse_port(raw: object, where: str) -> Condition:
    fields = as_mapping(raw, where)
    refuse_unknown(fields, frozenset({"port", "endPort", "protocol"}), where)
    protocol = fields.get("protocol") or "ANY"
    if protocol not in (*_PROTOCOLS, "ANY"):
        raise PolicyFault(f"{where}.protocol: not known here: {show(protocol)}")
    protocols = _PROTOCOLS if protocol == "ANY" else (str(protocol),)
    port = as_text(fields.get("port", "0"), f"{where}.port")
    if port.isascii() and port.isdigit() and len(port) <= len("65535"):
        first, last = _bounds(int(port), fields.get("endPort"), where)
        return AnyOf(tuple(PortRange(item, first, last) for item in protocols))
    return AnyOf(tuple(NamedPort(item, port) for item in protocols))


def _bounds(port: int, last: object, where: str) -> tuple[int, int]:
    if port == 0:
        return 0, 65535
    first = as_port(port, f"{where}.port")
    end = as_port(last, f"{where}.endPort") if last else first
    if end < first:
        raise PolicyFault(f"{where}.endPort: {end} is below port {first}")
    return first, end


def _parse_content(
    rules: Mapping[str, object], ports: Sequence[object], direction: Direction, where: str
) -> Iterator[Condition]:
    """Of one protocol: Cilium refuses rules of several on the same ports."""
    refuse_unknown(rules, frozenset({"http", "dns"}), f"{where}.rules")
    requests, queries = (as_list(rules.get(name), f"{where}.rules.{name}") for name in ("http", "dns"))
    if requests and queries:
        raise PolicyFault(f"{where}.rules: expected one of http, dns")
    if requests:
        yield parse_requests(requests, f"{where}.rules.http")
    if queries:
        yield parse_queries(queries, ports, direction, f"{where}.rules.dns")
