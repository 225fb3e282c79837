"""Documents of flows for tests, and Elasticsearch's queries asked of them without Elasticsearch."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from conntrail.observe.condition import values_at
from schemas.topic import FLOWS
from streams.index.documents import document_of
from tests.unit.streams.index.builders import flow

Document = dict[str, Any]
_MAPPED = int(ipaddress.IPv6Address("::ffff:0:0"))


def document(**facts: Any) -> Document:
    """Of the builders' flow; a name with ``__`` is a path: ``source__kubernetes__namespace``."""
    body: Document = document_of(FLOWS, flow(), "default").body
    for name, value in facts.items():
        *path, last = name.split("__")
        place = body
        for part in path:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return body


def answers(query: Mapping[str, Any], of: Document) -> bool:
    """Whether a query finds a document (Query DSL; fields of the index template)."""
    ((kind, body),) = query.items()
    if kind == "bool":
        assert set(body) <= {"filter", "should", "minimum_should_match", "must_not"}
        if any(answers(clause, of) for clause in body.get("must_not", ())):
            return False
        found = sum(answers(clause, of) for clause in body.get("should", ()))
        return all(answers(clause, of) for clause in body.get("filter", ())) and found >= body.get(
            "minimum_should_match", 0
        )
    if kind == "exists":
        return bool(_values(of, body["field"]))
    ((field, wanted),) = body.items()
    if field.endswith(".ip"):
        low, high = _span(wanted) if kind == "term" else (_number(wanted["gte"]), _number(wanted["lte"]))
        return any(low <= _number(value) <= high for value in values_at(of, field))
    return any(_TESTS[kind](value, wanted) for value in _values(of, field))


def _is_term(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        assert wanted["case_insensitive"]
        return str(value).lower() == str(wanted["value"]).lower()
    return str(value) == wanted


def _is_wildcard(value: Any, wanted: Any) -> bool:
    flags = re.IGNORECASE | re.ASCII if wanted.get("case_insensitive") else re.RegexFlag(0)
    return _wildcard(wanted["value"], re.DOTALL | flags).fullmatch(str(value)) is not None


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "term": _is_term,
    "terms": lambda value, wanted: str(value) in wanted,
    "wildcard": _is_wildcard,
    "regexp": lambda value, wanted: re.fullmatch(wanted["value"], str(value), re.DOTALL) is not None,
    "range": lambda value, wanted: bool(wanted["gte"] <= value <= wanted["lte"]),
}


def _values(of: Document, field: str) -> list[Any]:
    """Keys of labels hold dots."""
    end, found, key = field.partition(".kubernetes.labels.")
    if not found:
        return values_at(of, field)
    labels = values_at(of, f"{end}.kubernetes.labels")
    return [labels[0][key]] if labels and key in labels[0] else []


def _wildcard(text: str, flags: re.RegexFlag) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    meanings = {"*": ".*", "?": "."}
    return re.compile(
        "".join(meanings.get(p) or re.escape(p.removeprefix("\\") or p) for p in parts), re.DOTALL | flags
    )


def _span(text: str) -> tuple[int, int]:
    network = ipaddress.ip_network(text)
    return _number(str(network[0])), _number(str(network[-1]))


def _number(text: str) -> int:
    """IPv4 addresses lie among those of IPv6, as the field type ip keeps them."""
    address = ipaddress.ip_address(text)
    return int(address) + (_MAPPED if address.version == 4 else 0)
