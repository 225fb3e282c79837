"""The requests of HTTP that a rule of Cilium lets through its ports.

Asked about a connection alone, such a rule is met: the proxy takes the connection and judges what follows.
Source: docs.cilium.io, "Layer 7 policies", HTTP.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from streams.policy.field import as_mapping, as_text, refuse_unknown
from streams.policy.question import Direction, Question
from streams.policy.template import begins, either, equals, every

_PLAIN: Final = re.compile(r"[\w/|-]*(?:\.\*)?")
"""Of the regular expressions of rules those that need no engine, and so cannot be made to take for ever."""


@dataclass(frozen=True, slots=True)
class OfRequests:
    """One of several pairs of a method and a path, each a plain pattern or None where a request cannot be judged."""

    patterns: tuple[tuple[str, str] | None, ...]

    def holds(self, question: Question, direction: Direction) -> bool | None:  # noqa: ARG002 - the protocol's signature
        """Without a request the connection is asked about; a query of DNS is none of HTTP."""
        if question.http is None:
            return question.dns is None
        method, path = question.http
        return either(
            None if pattern is None else every((_is_like(method, pattern[0]), _is_like(path, pattern[1])))
            for pattern in self.patterns
        )


def _is_like(text: str, pattern: str) -> bool | None:
    """An empty pattern asks nothing."""
    if not pattern:
        return True
    return either(
        begins(text, choice.removesuffix(".*")) if choice.endswith(".*") else equals(text, choice)
        for choice in pattern.split("|")
    )


def parse_requests(items: Sequence[object], where: str) -> OfRequests:
    """Read a list that is not empty."""
    return OfRequests(tuple(_parse_request(item, f"{where}[{index}]") for index, item in enumerate(items)))


def _parse_request(raw: object, where: str) -> tuple[str, str] | None:
    fields = as_mapping(raw, where)
    refuse_unknown(fields, frozenset({"method", "path", "host", "headers", "headerMatches"}), where)
    if fields.get("host") or fields.get("headers") or fields.get("headerMatches"):
        return None
    method, path = (as_text(fields.get(name) or "", f"{where}.{name}") for name in ("method", "path"))
    return (method, path) if _PLAIN.fullmatch(method) and _PLAIN.fullmatch(path) else None
