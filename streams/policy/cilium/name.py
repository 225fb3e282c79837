"""Names as Cilium's rules ask for them, of what is looked up and of what is looked up by: matchName, matchPattern.

A run of ``*`` stands for any part of a label, also for none; before a first dot two or more of them stand for one or
more labels (since Cilium 1.18; before, for one), and alone for every name. Source: docs.cilium.io, "Layer 7 policies",
"DNS Policy and IP Discovery", and cilium/cilium, pkg/fqdn/matchpattern.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streams.policy.fault import PolicyFault
from streams.policy.field import as_mapping, as_text, refuse_unknown, show

_LONGEST: Final = 255
"""Cilium refuses a longer one."""
_ALLOWED: Final[Mapping[str, re.Pattern[str]]] = {
    "matchName": re.compile(r"[-a-zA-Z0-9_.]+"),
    "matchPattern": re.compile(r"[-a-zA-Z0-9_.*]+"),
}
_LABEL: Final = re.compile(r"[-a-z0-9_]+")
"""What a wildcard stands for; other bytes may be in names too (RFC 2181, 11), and are let through by none."""
_WILDCARDS: Final = re.compile(r"\*+")


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A name, or many that are alike."""

    labels: tuple[str, ...]
    """From the left, in lower case; a ``*`` stands for a part of one."""
    is_below: bool = False
    """One or more labels stand before these; without any of these it is every name."""

    def matches(self, name: str) -> bool:
        """Tell for a name in any case, with its last dot or without."""
        labels = name.lower().rstrip(".").split(".")
        own = len(self.labels)
        if not self.is_below:
            return len(labels) == own and all(map(_is_like, labels, self.labels))
        if not own:
            return labels == [""] or all(map(_LABEL.fullmatch, labels))
        above = labels[:-own]
        return bool(above) and all(map(_LABEL.fullmatch, above)) and all(map(_is_like, labels[-own:], self.labels))


def parse_name(raw: object, where: str) -> NamePattern:
    """Read what has either of matchName and matchPattern. Raise PolicyFault where Cilium would refuse it."""
    fields = as_mapping(raw, where)
    refuse_unknown(fields, frozenset(_ALLOWED), where)
    chosen = [(name, value) for name, value in fields.items() if value]
    if len(chosen) != 1:
        raise PolicyFault(f"{where}: needs exactly one of matchName, matchPattern")
    name, value = chosen[0]
    text = as_text(value, f"{where}.{name}")
    if len(text) > _LONGEST or not _ALLOWED[name].fullmatch(text):
        raise PolicyFault(f"{where}.{name}: not known here: {show(value)}")
    return _pattern_of(text.lower().rstrip("."))


def _pattern_of(text: str) -> NamePattern:
    first, *others = text.split(".")
    if set(first) == {"*"} and (len(first) > 1 or not others):
        return NamePattern(tuple(map(_with_single_wildcards, others)), is_below=True)
    return NamePattern(tuple(map(_with_single_wildcards, (first, *others))))


def _with_single_wildcards(label: str) -> str:
    return _WILDCARDS.sub("*", label)


def _is_like(label: str, pattern: str) -> bool:
    first, *others = pattern.split("*")
    if not others:
        return label == pattern
    *between, last = others
    at, end = len(first), len(label) - len(last)
    if at > end or not (label.startswith(first) and label.endswith(last) and _LABEL.fullmatch(label)):
        return False
    for part in between:
        found = label.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
