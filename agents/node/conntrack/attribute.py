"""Where in a conntrack message each value lies: a walk over its nested attributes that trusts no length.

Source: linux/netfilter/nfnetlink_conntrack.h (enum ctattr_*) and linux/netlink.h (struct nlattr).
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct("=HH")
_HEADER_BYTES: Final = 4
_TYPE_MASK: Final = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_MAXIMUM_ATTRIBUTES: Final = 128
MESSAGE_HEAD_BYTES: Final = 20  # struct nlmsghdr and struct nfgenmsg

_NESTED: Final[set[tuple[int, ...]]] = {
    (1,),
    (2,),
    (1, 1),
    (1, 2),
    (2, 1),
    (2, 2),
    (4,),
    (4, 1),
    (4, 3),
    (9,),
    (10,),
    (20,),
}
_TUPLE: Final[dict[tuple[int, ...], tuple[str, int]]] = {
    (1, 1): ("source", 4),
    (1, 2): ("destination", 4),
    (1, 3): ("source", 16),
    (1, 4): ("destination", 16),
    (2, 2): ("source_port", 2),
    (2, 3): ("destination_port", 2),
}
FIELDS: Final[dict[tuple[int, ...], tuple[str, int]]] = {
    **{(1, *path): (f"original_{name}", size) for path, (name, size) in _TUPLE.items()},
    **{(2, *path): (f"reply_{name}", size) for path, (name, size) in _TUPLE.items()},
    (1, 2, 1): ("protocol", 1),
    (1, 2, 4): ("icmp_id", 2),
    (1, 2, 5): ("icmp_type", 1),
    (1, 2, 6): ("icmp_code", 1),
    (1, 2, 7): ("icmp_id", 2),
    (1, 2, 8): ("icmp_type", 1),
    (1, 2, 9): ("icmp_code", 1),
    (1, 3): ("zone", 2),
    (2, 3): ("zone", 2),
    (3,): ("status", 4),
    (4, 1, 1): ("tcp_state", 1),
    (7,): ("timeout", 4),
    (8,): ("mark", 4),
    (9, 1): ("original_packets", 8),
    (9, 2): ("original_bytes", 8),
    (10, 1): ("reply_packets", 8),
    (10, 2): ("reply_bytes", 8),
    (12,): ("id", 4),
    (18,): ("zone", 2),
    (20, 1): ("started_at_ns", 8),
    (20, 2): ("stopped_at_ns", 8),
}
"""Attribute path to (field, bytes); every value is big-endian. A zone of one direction only stands for both."""


class MalformedError(ValueError):
    """An attribute does not fit into what holds it."""


class Attribute(NamedTuple):
    """Where one attribute lies in a message, in bytes from its beginning."""

    path: tuple[int, ...]
    header: int
    value: int
    size: int


def walk(message: bytes, start: int = MESSAGE_HEAD_BYTES, end: int | None = None) -> list[Attribute]:
    """All attributes of one message, or of ``message[start:end]`` where conntrack's are part of another.

    Raises MalformedError when a length does not fit or there are too many.
    """
    last = len(message) if end is None else end
    found = list(islice(_walk(message, start, last, ()), _MAXIMUM_ATTRIBUTES + 1))
    if len(found) > _MAXIMUM_ATTRIBUTES:
        raise MalformedError(f"more than {_MAXIMUM_ATTRIBUTES} attributes")
    return found


def _walk(message: bytes, start: int, end: int, path: tuple[int, ...]) -> Iterator[Attribute]:
    while start + _HEADER_BYTES <= end:
        size, kind = _HEADER.unpack_from(message, start)
        if size < _HEADER_BYTES or start + size > end:
            raise MalformedError(f"an attribute of {size} bytes at byte {start} does not fit")
        here = (*path, kind & _TYPE_MASK)
        yield Attribute(here, start, start + _HEADER_BYTES, size - _HEADER_BYTES)
        if here in _NESTED:
            yield from _walk(message, start + _HEADER_BYTES, start + size, here)
        start += (size + 3) & ~3
