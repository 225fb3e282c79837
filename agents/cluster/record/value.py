"""Values out of API objects, which anybody with write access fills: whatever has another type reads as absent."""

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_MAXIMUM_TEXT: Final = 1024
_MAXIMUM_ENTRIES: Final = 1024
"""The API allows 1,000 endpoints in a slice, its longest list."""
_MAXIMUM_NUMBER: Final = 2**31 - 1
_LATEST_NS: Final = 2**62
"""Year 2116; later instants are no times of ours, and Avro's long ends in 2262."""
_NS_PER_SECOND: Final = 1_000_000_000


def mapping(value: object, *path: str) -> Mapping[str, Any]:
    """The mapping at a path; an empty one when it is absent."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def items(value: object, *path: str) -> list[Mapping[str, Any]]:
    """The mappings of the list at a path, at most 1,024 of them."""
    holder = mapping(value, *path[:-1])
    found = holder.get(path[-1])
    return [item for item in found[:_MAXIMUM_ENTRIES] if isinstance(item, Mapping)] if isinstance(found, list) else []


def text(value: object, *path: str) -> str:
    """The text at a path, cut to 1,024 characters; empty when it is absent."""
    found = mapping(value, *path[:-1]).get(path[-1])
    return _cut(found) if isinstance(found, str) else ""


def texts(value: object) -> list[str]:
    """The texts of a list, at most 1,024."""
    return [_cut(item) for item in value[:_MAXIMUM_ENTRIES] if isinstance(item, str)] if isinstance(value, list) else []


def number(value: object, *path: str) -> int:
    """The whole number at a path, not negative and of 31 bits; 0 when it is absent."""
    found = mapping(value, *path[:-1]).get(path[-1])
    return found if isinstance(found, int) and found is not True and 0 <= found <= _MAXIMUM_NUMBER else 0


def labels(value: object, *path: str) -> dict[str, str]:
    """The texts of a mapping, at most 1,024."""
    found = mapping(value, *path)
    pairs = [(key, item) for key, item in found.items() if isinstance(key, str) and isinstance(item, str)]
    return {_cut(key): _cut(item) for key, item in pairs[:_MAXIMUM_ENTRIES]}


def instant(value: object, *path: str) -> int:
    """The RFC 3339 time at a path as Unix time in ns; 0 when it is absent. YAML readers may have parsed it already."""
    found = mapping(value, *path[:-1]).get(path[-1])
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            return 0
    if not isinstance(found, datetime):
        return 0
    moment = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        instant_ns = int(moment.timestamp()) * _NS_PER_SECOND + moment.microsecond * 1000
    except OverflowError:
        return 0
    return instant_ns if 0 < instant_ns < _LATEST_NS else 0


def canonical(address: str) -> str:
    """An address in canonical text (RFC 5952); empty for what is none."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def _cut(found: str) -> str:
    """At most 1,024 characters, all of which UTF-8 has: JSON can name halves of surrogate pairs."""
    cut = found[:_MAXIMUM_TEXT]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()
