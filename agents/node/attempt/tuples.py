"""Reads conntrack's own tuples from a log message (attribute NFULA_CT), on kernels that attach them.

Attribute numbers: linux/netfilter/nfnetlink_conntrack.h. The attributes are walked, except where their heads prove the
one arrangement that nearly all directions have: IPv4 and ports.
"""

from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

from agents.node.attempt.address import Address, map_address
from agents.node.log_group.message import walk

_TUPLE_ORIGINAL, _TUPLE_REPLY, _ZONE = 1, 2, 18
_TUPLE_ADDRESSES, _TUPLE_PROTOCOL = 1, 2
_V4_SOURCE, _V4_DESTINATION, _V6_SOURCE, _V6_DESTINATION = 1, 2, 3, 4
_NUMBER, _SOURCE_PORT, _DESTINATION_PORT = 1, 2, 3
_ICMP_PROTOCOLS: Final = frozenset({1, 58})
_REMEMBERED: Final = 4096
"""Directions; packets of one connection repeat both."""
_ICMP_ID, _ICMP_TYPE, _ICMP_CODE, _ICMP6_ID, _ICMP6_TYPE, _ICMP6_CODE = 4, 5, 6, 7, 8, 9
_PLAIN: Final = Struct("!8s4s4s4s8sB3x4sH2x4sH2x")
"""Heads of attributes, each before its value: addresses, source; destination; ports, protocol; source; destination."""
_HEAD: Final = Struct("=HH")
_PLAIN_HEADS: Final = frozenset(
    (
        _HEAD.pack(20, _TUPLE_ADDRESSES | flag) + _HEAD.pack(8, _V4_SOURCE),
        _HEAD.pack(8, _V4_DESTINATION),
        _HEAD.pack(28, _TUPLE_PROTOCOL | flag) + _HEAD.pack(5, _NUMBER),
        _HEAD.pack(6, _SOURCE_PORT),
        _HEAD.pack(6, _DESTINATION_PORT),
    )
    for flag in (0, 0x8000)  # NLA_F_NESTED, which newer kernels set
)


class Direction(NamedTuple):
    """One direction of a connection, as conntrack has it. A tuple, as there are thousands a second."""

    protocol: int
    source: Address
    destination: Address
    source_port: int
    destination_port: int
    icmp_type: int
    icmp_code: int
    icmp_id: int


class Tracked(NamedTuple):
    """Both directions and the zone of the entry to which a packet belongs."""

    original: Direction
    reply: Direction
    zone: int


def parse_tracked(data: bytes) -> Tracked | None:
    """Both tuples from the value of NFULA_CT; None when one is missing. Raises ValueError on false lengths."""
    found: dict[int, Direction] = {}
    zone = 0
    for kind, start, end in walk(data, 0, len(data)):
        if kind in (_TUPLE_ORIGINAL, _TUPLE_REPLY):
            direction = _parse_direction(data[start:end])
            if direction is None:
                return None
            found[kind] = direction
        elif kind == _ZONE:
            zone = int.from_bytes(data[start:end][:2], "big")
    if len(found) < 2:  # noqa: PLR2004 - both directions
        return None
    return Tracked(found[_TUPLE_ORIGINAL], found[_TUPLE_REPLY], zone)


@lru_cache(_REMEMBERED)
def _parse_direction(data: bytes) -> Direction | None:
    if len(data) == _PLAIN.size:
        first, source, second, destination, third, protocol, fourth, source_port, fifth, port = _PLAIN.unpack(data)
        if (first, second, third, fourth, fifth) in _PLAIN_HEADS:
            return Direction(protocol, map_address(source), map_address(destination), source_port, port, 0, 0, 0)
    return _walk_direction(data)


def _walk_direction(data: bytes) -> Direction | None:
    values: dict[tuple[int, int], bytes] = {}
    for group, group_start, group_end in walk(data, 0, len(data)):
        if group in (_TUPLE_ADDRESSES, _TUPLE_PROTOCOL):
            for kind, value_start, value_end in walk(data, group_start, group_end):
                values[group, kind] = data[value_start:value_end]
    source = _address(values, _V4_SOURCE, _V6_SOURCE)
    destination = _address(values, _V4_DESTINATION, _V6_DESTINATION)
    if source is None or destination is None:
        return None
    protocol = _number(values, _NUMBER, 1)
    return Direction(
        protocol,
        source,
        destination,
        _number(values, _SOURCE_PORT, 2),
        _number(values, _DESTINATION_PORT, 2),
        *(_icmp(values) if protocol in _ICMP_PROTOCOLS else (0, 0, 0)),
    )


def _icmp(values: dict[tuple[int, int], bytes]) -> tuple[int, int, int]:
    """Type, code and identifier."""
    return (
        _number(values, _ICMP_TYPE, 1) or _number(values, _ICMP6_TYPE, 1),
        _number(values, _ICMP_CODE, 1) or _number(values, _ICMP6_CODE, 1),
        _number(values, _ICMP_ID, 2) or _number(values, _ICMP6_ID, 2),
    )


def _address(values: dict[tuple[int, int], bytes], short: int, long: int) -> Address | None:
    for kind, size in ((short, 4), (long, 16)):
        packed = values.get((_TUPLE_ADDRESSES, kind))
        if packed is not None and len(packed) == size:
            return map_address(packed)
    return None


def _number(values: dict[tuple[int, int], bytes], kind: int, size: int) -> int:
    packed = values.get((_TUPLE_PROTOCOL, kind), b"")
    return int.from_bytes(packed[:size], "big")
