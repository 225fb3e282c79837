"""Filters as conditions that mean the same on a live document and as an Elasticsearch query.

A filter is a conjunction of conditions; a condition holds when any of its fields has any of its values. Values may
hold ``*``. Documents are what the index holds (ECS names, nested).
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

Document = Mapping[str, Any]
_ENDS = ("source", "destination")


class FilterError(ValueError):
    """A filter's value cannot be understood; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Any of these fields has any of these values. ``pairs``: values are (namespace, name) of neighbouring fields."""

    fields: tuple[str, ...]
    values: tuple[str, ...]
    kind: Literal["text", "network"] = "text"

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""
        found = [str(value) for field in self.fields for value in values_at(document, field)]
        test = _in_network if self.kind == "network" else fnmatchcase
        return any(test(value, wanted) for value in found for wanted in self.values)

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        clauses = [_clause(field, value) for field in self.fields for value in self.values]
        return {"bool": {"should": clauses, "minimum_should_match": 1}}


@dataclass(frozen=True, slots=True)
class Named:
    """Any of these ends is called ``namespace/name``; without a namespace, any namespace."""

    fields: tuple[tuple[str, str], ...]
    """(field of the namespace, field of the name)."""
    values: tuple[str, ...]

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""
        return any(_All(both).matches(document) for both in self._alternatives())

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        clauses = [_All(both).query() for both in self._alternatives()]
        return {"bool": {"should": clauses, "minimum_should_match": 1}}

    def _alternatives(self) -> Iterable[list[Condition]]:
        for namespace_field, name_field in self.fields:
            for value in self.values:
                namespace, separator, name = value.rpartition("/")
                name_condition = Condition((name_field,), (name,))
                yield [name_condition, Condition((namespace_field,), (namespace,))] if separator else [name_condition]


@dataclass(frozen=True, slots=True)
class _All:
    """Every one of these conditions holds."""

    conditions: Sequence[Condition]

    def matches(self, document: Document) -> bool:
        return all(condition.matches(document) for condition in self.conditions)

    def query(self) -> dict[str, Any]:
        return {"bool": {"filter": [condition.query() for condition in self.conditions]}}


AnyCondition = Condition | Named


def matches(conditions: Iterable[AnyCondition], document: Document) -> bool:
    """Whether a document meets every condition."""
    return all(condition.matches(document) for condition in conditions)


def query(conditions: Iterable[AnyCondition], since_ms: int | None, until_ms: int | None) -> dict[str, Any]:
    """Elasticsearch query of the conditions within a span of ``@timestamp`` (Unix time, ms)."""
    clauses = [condition.query() for condition in conditions]
    span = {key: value for key, value in (("gte", since_ms), ("lte", until_ms)) if value is not None}
    if span:
        clauses.append({"range": {"@timestamp": {**span, "format": "epoch_millis"}}})
    return {"bool": {"filter": clauses}}


def values_at(document: Document, path: str) -> list[Any]:
    """Values of a dotted field; none when it is absent."""
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return []
        value = value[name]
    return value if isinstance(value, list) else [value]


def ends(selector: str, field: str) -> tuple[str, ...]:
    """A field at the end(s) that ``selector`` names: source, destination or any."""
    return tuple(f"{end}.{field}" for end in (_ENDS if selector == "any" else (selector,)))


def checked_networks(values: Iterable[str]) -> tuple[str, ...]:
    """Raise FilterError when a value is no address and no network."""
    checked = []
    for value in values:
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError as error:
            raise FilterError(f"{value!r} is no address or network, such as 10.0.0.1 or 10.0.0.0/8") from error
        checked.append(str(network) if "/" in value else str(network.network_address))
    return tuple(checked)


def _clause(field: str, value: str) -> dict[str, Any]:
    return {"wildcard": {field: {"value": value}}} if "*" in value else {"term": {field: value}}


def _in_network(value: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network)
    except ValueError:
        return False
