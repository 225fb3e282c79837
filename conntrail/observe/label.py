"""``--label``: selectors as kubectl takes them, of the labels that a pod had when it was seen.

Source: k8s.io/apimachinery labels.Parse; ``!=`` and ``notin`` hold where the label is missing. An end that is no pod is
selected by nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conntrail.observe.condition import Document, FilterError, values_at
from streams.policy.selector import LabelSelector, Requirement

_MOST: Final = 1024
_KEY: Final = r"(?:k8s:)?([A-Za-z0-9][A-Za-z0-9._/-]{0,316})"
_VALUE: Final = r"[A-Za-z0-9._-]{0,63}"
_REQUIREMENT: Final = re.compile(
    rf"\s*(?:!\s*{_KEY}|{_KEY}(?:\s*(==?|!=)\s*({_VALUE})|\s+(in|notin)\s*\(([A-Za-z0-9._,\s-]+)\))?)\s*(?:,(?!\s*$)|$)"
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A pod at any of these ends has labels that a selector selects."""

    ends: tuple[str, ...]
    selectors: tuple[LabelSelector, ...]

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""
        return any(selector.matches(labels) for labels in self._labels(document) for selector in self.selectors)

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        clauses = [_query(end, selector) for end in self.ends for selector in self.selectors]
        return {"bool": {"should": clauses, "minimum_should_match": 1}}

    def _labels(self, document: Document) -> Iterable[Mapping[str, str]]:
        for end in self.ends:
            if values_at(document, f"{end}.kubernetes.pod.name"):
                told = values_at(document, f"{end}.kubernetes.labels")
                yield dict(flat_labels(told[0])) if told and isinstance(told[0], Mapping) else {}


def flat_labels(labels: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Elasticsearch gives keys with dots back as objects in objects, for it makes the source of what it indexed."""
    for key, value in labels.items():
        if isinstance(value, Mapping):
            yield from flat_labels(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def parse_label_selector(text: str) -> LabelSelector:
    """Read ``app=web,tier!=db,env in (a, b),!legacy``. Raises FilterError."""
    requirements, at = [], 0
    while at < len(text) <= _MOST:
        found = _REQUIREMENT.match(text, at)
        if found is None:
            break
        requirements.append(_requirement(found))
        at = found.end()
    if at < len(text) or not requirements:
        raise FilterError(f"--label {text[:_MOST]!r}: expected a selector as app=web,tier!=db,env in (a,b),!legacy")
    return LabelSelector(tuple(requirements))


def _requirement(found: re.Match[str]) -> Requirement:
    absent, key, operator, value, of, values = found.groups(default="")
    if absent:
        return Requirement(absent, "DoesNotExist")
    if of:
        return Requirement(key, "In" if of == "in" else "NotIn", frozenset(each.strip() for each in values.split(",")))
    if operator:
        return Requirement(key, "NotIn" if operator == "!=" else "In", frozenset({value}))
    return Requirement(key, "Exists")


def _query(end: str, selector: LabelSelector) -> dict[str, Any]:
    wanted: list[dict[str, Any]] = [{"exists": {"field": f"{end}.kubernetes.pod.name"}}]
    unwanted: list[dict[str, Any]] = []
    for requirement in selector.requirements:
        field = f"{end}.kubernetes.labels.{requirement.key}"
        clause: dict[str, Any] = (
            {"terms": {field: sorted(requirement.values)}} if requirement.values else {"exists": {"field": field}}
        )
        (wanted if requirement.operator in ("In", "Exists") else unwanted).append(clause)
    return {"bool": {"filter": wanted, "must_not": unwanted}}
