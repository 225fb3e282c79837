"""Documents of flows for tests, and Elasticsearch's queries asked of them without Elasticsearch."""

import ipaddress
import re
from collections.abc import Mapping
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
    """Whether a query finds a document (Query DSL: bool, term, wildcard, range; fields of the index template)."""
    ((kind, body),) = query.items()
    if kind == "bool":
        assert set(body) <= {"filter", "should", "minimum_should_match"}
        found = sum(answers(clause, of) for clause in body.get("should", ()))
        return all(answers(clause, of) for clause in body.get("filter", ())) and found >= body.get(
            "minimum_should_match", 0
        )
    ((field, wanted),) = body.items()
    values = values_at(of, field)
    if kind == "wildcard":
        return any(_wildcard(wanted["value"]).fullmatch(str(value)) for value in values)
    if field.endswith(".ip"):
        low, high = _span(wanted) if kind == "term" else (_number(wanted["gte"]), _number(wanted["lte"]))
        return any(low <= _number(value) <= high for value in values)
    assert kind == "term"
    if field.endswith(".port"):
        return any(value == int(wanted) for value in values)
    return wanted in map(str, values)


def _wildcard(text: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    meanings = {"*": ".*", "?": "."}
    return re.compile("".join(meanings.get(p) or re.escape(p.removeprefix("\\") or p) for p in parts), re.DOTALL)


def _span(text: str) -> tuple[int, int]:
    network = ipaddress.ip_network(text)
    return _number(str(network[0])), _number(str(network[-1]))


def _number(text: str) -> int:
    """IPv4 addresses lie among those of IPv6, as the field type ip keeps them."""
    address = ipaddress.ip_address(text)
    return int(address) + (_MAPPED if address.version == 4 else 0)
