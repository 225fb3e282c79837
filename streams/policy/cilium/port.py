"""The ports of a rule of Cilium and the requests that it lets through them.

Source: docs.cilium.io, "Layer 4 policies", "Layer 7 policies". Asked about a connection alone, a rule for requests is
met: the proxy lets the connection through and judges what follows.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from streams.policy.combination import AllOf, AnyOf
from streams.policy.condition import Condition, NamedPort, OfProtocol, PortRange
from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_port, as_text, refuse_unknown, show
from streams.policy.question import Direction, Question

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_PLAIN: Final = re.compile(r"[\w/|-]*(?:\.\*)?")
"""Of the regular expressions of rules those that need no engine, and so cannot be made to take for ever."""


@dataclass(frozen=True, slots=True)
class OfRequests:
    """One of several pairs of a method and a path, each a plain pattern or None where a request cannot be judged."""

    patterns: tuple[tuple[str, str] | None, ...]

    def holds(self, question: Question, direction: Direction) -> bool | None:  # noqa: ARG002 - the protocol's signature
        """Without a request the connection is asked about."""
        if question.http is None:
            return True
        method, path = question.http
        is_known = None not in self.patterns
        for pattern in self.patterns:
            if pattern is not None and _is_like(method, pattern[0]) and _is_like(path, pattern[1]):
                return True
        return False if is_known else None


def _is_like(text: str, pattern: str) -> bool:
    """An empty pattern asks nothing."""
    if not pattern:
        return True
    return any(
        text.startswith(choice.removesuffix(".*")) if choice.endswith(".*") else text == choice
        for choice in pattern.split("|")
    )


def parse_port_rule(raw: object, where: str) -> Iterator[Condition]:
    """Read an item of toPorts."""
    rule = as_mapping(raw, where)
    refuse_unknown(rule, frozenset({"ports", "rules"}), where)
    items = as_list(rule.get("ports"), f"{where}.ports")
    ports = AnyOf(tuple(_parse_port(item, f"{where}.ports[{index}]") for index, item in enumerate(items)))
    # Without a list the rule is about requests on every port.
    asked: tuple[Condition, ...] = (ports,) if items else (AnyOf(tuple(map(OfProtocol, _PROTOCOLS))),)
    yield AllOf((*asked, *_parse_requests(as_mapping(rule.get("rules"), f"{where}.rules"), f"{where}.rules")))


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


def _parse_requests(rules: Mapping[str, object], where: str) -> Iterator[Condition]:
    refuse_unknown(rules, frozenset({"http", "dns"}), where)
    requests = as_list(rules.get("http"), f"{where}.http")
    if requests:
        yield OfRequests(tuple(_parse_request(item, f"{where}.http[{index}]") for index, item in enumerate(requests)))


def _parse_request(raw: object, where: str) -> tuple[str, str] | None:
    fields = as_mapping(raw, where)
    refuse_unknown(fields, frozenset({"method", "path", "host", "headers", "headerMatches"}), where)
    if fields.get("host") or fields.get("headers") or fields.get("headerMatches"):
        return None
    method, path = (as_text(fields.get(name) or "", f"{where}.{name}") for name in ("method", "path"))
    return (method, path) if _PLAIN.fullmatch(method) and _PLAIN.fullmatch(path) else None
