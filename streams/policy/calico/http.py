"""Requests of HTTP against a rule of Calico: methods exactly, paths as servers understand them.

Normal form of a path: RFC 3986 section 6, and what projectcalico/calico, app-policy, does besides, so that no spelling
of a path gets round a rule. Asked about a connection alone, Calico takes the part as met, and so does this.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from streams.policy.fault import PolicyFault
from streams.policy.field import as_list, as_mapping, as_text, as_texts, refuse_unknown
from streams.policy.question import Direction, Question
from streams.policy.template import either, equals, is_below, is_template

_INVALID_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_ESCAPED_TWICE: Final = re.compile(r"%(?:2e|2f|5c)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OfRequest:
    """One of the methods and one of the paths; none of a kind asks nothing of it."""

    methods: frozenset[str]
    exact: frozenset[str]
    prefixes: tuple[str, ...]

    def holds(self, question: Question, direction: Direction) -> bool | None:  # noqa: ARG002 - the protocol's signature
        """The same for both directions."""
        if question.http is None:
            return True
        method, path = question.http
        if self.methods and "*" not in self.methods and method not in self.methods:
            return False
        return not (self.exact or self.prefixes) or self._matches(normalize(path))

    def _matches(self, path: str | None) -> bool | None:
        if path is None:
            return False
        if path in self.exact or "/" in self.prefixes:
            return True
        below = (is_below(path, prefix) for prefix in self.prefixes)
        return either((*below, *(equals(path, one) for one in self.exact if is_template(path))))


def parse_http(raw: object, where: str) -> OfRequest:
    """Read an HTTP match. Raise PolicyFault where it is malformed."""
    match = as_mapping(raw, where)
    refuse_unknown(match, frozenset({"methods", "paths"}), where)
    exact: set[str] = set()
    prefixes: list[str] = []
    for index, item in enumerate(as_list(match.get("paths"), f"{where}.paths")):
        name, path = _parse_path(as_mapping(item, f"{where}.paths[{index}]"), f"{where}.paths[{index}]")
        if name == "exact":
            exact.add(path)
        else:
            prefixes.append(path)
    return OfRequest(frozenset(as_texts(match.get("methods"), f"{where}.methods")), frozenset(exact), tuple(prefixes))


def _parse_path(item: Mapping[str, object], where: str) -> tuple[str, str]:
    refuse_unknown(item, frozenset({"exact", "prefix"}), where)
    chosen = [(name, value) for name, value in item.items() if value is not None]
    if len(chosen) != 1:
        raise PolicyFault(f"{where}: needs exactly one of exact, prefix")
    name, value = chosen[0]
    path = normalize(as_text(value, f"{where}.{name}"))
    if path is None:
        raise PolicyFault(f"{where}.{name}: expected an absolute path")
    return name, path


def normalize(path: str) -> str | None:
    """Bring a path into the form that is compared; None where servers would disagree on what it means."""
    bare = re.split(r"[?#]", path, maxsplit=1)[0]
    if _INVALID_ESCAPE.search(bare):
        return None
    decoded = unquote(bare, errors="surrogateescape")
    if _ESCAPED_TWICE.search(decoded) or "\0" in decoded:
        return None
    decoded = decoded.replace("\\", "/")
    return "/" + "/".join(_segments(decoded)) if decoded.startswith("/") else None


def _segments(path: str) -> list[str]:
    segments: list[str] = []
    for segment in path.split("/"):
        name = segment.partition(";")[0]
        if name == "..":
            del segments[-1:]
        elif name not in ("", "."):
            segments.append(name)
    return segments
