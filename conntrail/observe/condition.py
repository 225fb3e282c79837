"""Filters as conditions that mean the same on a live document and as an Elasticsearch query.

A filter is a conjunction of conditions; a condition holds when any of its fields has any of its values. Values may
hold ``*``. Documents are what the index holds (ECS names, nested).
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, Protocol

Document = Mapping[str, Any]
_ENDS = ("source", "destination")
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
"""Where Elasticsearch keeps IPv4 addresses among the IPv6 ones (RFC 4291 section 2.5.5.2)."""
_EMBEDDED_BITS: Final = 96
_OF_KIND: Final = 2
"""Slashes of ``kind/namespace/name``."""


class FilterError(ValueError):
    """A filter's value cannot be understood; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Any of these fields has any of these values. ``folded``: as text, whatever the case of its ASCII letters."""

    fields: tuple[str, ...]
    values: tuple[str, ...]
    kind: Literal["text", "folded", "network"] = "text"

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""
        found = [str(value) for field in self.fields for value in values_at(document, field)]
        test = _TESTS[self.kind]
        return any(test(value, wanted) for value in found for wanted in self.values)

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        make = _CLAUSES[self.kind]
        clauses = [clause for field in self.fields for value in self.values for clause in make(field, value)]
        return {"bool": {"should": clauses, "minimum_should_match": 1}}


@dataclass(frozen=True, slots=True)
class Named:
    """Any of these ends is called ``namespace/name``; without a namespace, any; ``kind/namespace/name`` of its kind."""

    fields: tuple[tuple[str, str], ...]
    """(field of the namespace, field of the name)."""
    values: tuple[str, ...]
    whole: tuple[str, ...] = ()
    """Fields whose values are ``namespace/name``."""

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""
        return any(Every(both).matches(document) for both in self._alternatives())

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        clauses = [Every(both).query() for both in self._alternatives()]
        return {"bool": {"should": clauses, "minimum_should_match": 1}}

    def _alternatives(self) -> Iterable[list[Condition]]:
        for namespace_field, name_field in self.fields:
            for value in self.values:
                namespace, separator, name = value.rpartition("/")
                kind, of_kind, namespace = namespace.rpartition("/")
                conditions = [Condition((name_field,), (name,))]
                if separator:
                    conditions.append(Condition((namespace_field,), (namespace,)))
                if of_kind:
                    conditions.append(Condition((f"{name_field.removesuffix('name')}kind",), (kind,), "folded"))
                yield conditions
        for field in self.whole:
            plain = [value for value in self.values if value.count("/") < _OF_KIND]
            if plain:
                yield [Condition((field,), tuple(value if "/" in value else f"*/{value}" for value in plain))]


@dataclass(frozen=True, slots=True)
class Every:
    """Every one of these conditions holds."""

    conditions: Sequence["AnyCondition"]

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""
        return all(condition.matches(document) for condition in self.conditions)

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        return {"bool": {"filter": [condition.query() for condition in self.conditions]}}


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold; a document without its fields is one of those."""

    condition: "AnyCondition"

    def matches(self, document: Document) -> bool:
        """Whether a document does not meet the condition."""
        return not self.condition.matches(document)

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""
        return {"bool": {"must_not": [self.condition.query()]}}


class AnyCondition(Protocol):
    """Whatever can be asked of a document."""

    def matches(self, document: Document) -> bool:
        """Whether a document meets the condition."""

    def query(self) -> dict[str, Any]:
        """The same in Elasticsearch's query language."""


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
        network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            network = None
        if network is None or "%" in value:
            raise FilterError(f"{value!r} is no address or network, such as 10.0.0.1 or 10.0.0.0/8")
        if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
            network = _embedded(network)
        checked.append(str(network) if "/" in value else str(network.network_address))
    return tuple(checked)


def _embedded(network: ipaddress.IPv6Network) -> ipaddress.IPv4Network:
    address = int(network.network_address) - int(_MAPPED.network_address)
    return ipaddress.IPv4Network((address, network.prefixlen - _EMBEDDED_BITS))


def _text_clauses(field: str, value: str) -> list[dict[str, Any]]:
    if "*" not in value:
        return [{"term": {field: value}}]
    return [{"wildcard": {field: {"value": re.sub(r"[\\?]", r"\\\g<0>", value)}}}]


def _folded_clauses(field: str, value: str) -> list[dict[str, Any]]:
    ((kind, body),) = _text_clauses(field, value)[0].items()
    asked = body[field] if kind == "wildcard" else {"value": value}
    return [{kind: {field: {**asked, "case_insensitive": True}}}]


def _network_clauses(field: str, value: str) -> list[dict[str, Any]]:
    """A network of IPv6 that spans the embedded IPv4 addresses is asked for without them."""
    network = ipaddress.ip_network(value)
    if isinstance(network, ipaddress.IPv4Network) or not _MAPPED.subnet_of(network):
        return [{"term": {field: value}}]
    spans = (
        (network.network_address, _MAPPED.network_address - 1),
        (_MAPPED.broadcast_address + 1, network.broadcast_address),
    )
    return [{"range": {field: {"gte": str(low), "lte": str(high)}}} for low, high in spans if low <= high]


@lru_cache(maxsize=1024)
def _pattern(value: str, flags: re.RegexFlag = re.DOTALL) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, value.split("*"))), flags)


def _is_like(value: str, wanted: str) -> bool:
    """Only ``*`` stands for something else."""
    return _pattern(wanted).fullmatch(value) is not None


def _is_like_folded(value: str, wanted: str) -> bool:
    return _pattern(wanted, re.DOTALL | re.ASCII | re.IGNORECASE).fullmatch(value) is not None


def _in_network(value: str, network: str) -> bool:
    """An embedded IPv4 address is that address, as it is to Elasticsearch."""
    try:
        address = ipaddress.ip_address(value)
        return (getattr(address, "ipv4_mapped", None) or address) in ipaddress.ip_network(network)
    except ValueError:
        return False


_TESTS: Final = {"text": _is_like, "folded": _is_like_folded, "network": _in_network}
_CLAUSES: Final = {"text": _text_clauses, "folded": _folded_clauses, "network": _network_clauses}
