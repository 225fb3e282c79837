"""Reads rtnetlink's answers: a namespace's addresses, and which other namespaces its links lead to.

Source: linux/rtnetlink.h, linux/if_addr.h, linux/if_link.h, linux/net_namespace.h.
"""

import struct
from collections.abc import Iterator
from typing import Final

from agents.node.attempt.address import Address, map_address
from agents.node.log_group.message import walk

NEW_LINK: Final = 16
NEW_ADDRESS: Final = 20
NEW_NAMESPACE_ID: Final = 88
DONE: Final = 3
ERROR: Final = 2
_HEADER: Final = struct.Struct("=IHHII")
_LINK_BYTES: Final = 16  # struct ifinfomsg
_ADDRESS_BYTES: Final = 8  # struct ifaddrmsg
_GENERAL_BYTES: Final = 4  # struct rtgenmsg, aligned
_LINK_NAMESPACE_ID: Final = 37  # IFLA_LINK_NETNSID
_ADDRESS: Final = 1  # IFA_ADDRESS
_LOCAL: Final = 2  # IFA_LOCAL
_NAMESPACE_ID: Final = 1  # NETNSA_NSID
_LENGTH_OF_FAMILY: Final = {2: 4, 10: 16}
_LINK_LOCAL: Final = 0xFE80 >> 6
_LOOPBACK_V4: Final = (0xFFFF << 8) | 127

Message = tuple[int, bytes]


def frame(data: bytes) -> Iterator[Message]:
    """Type and body of each message; what is cut off is left out."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            return
        yield kind, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def parse_address(body: bytes) -> Address | None:
    """The address of a NEW_ADDRESS message; None when it is none that tells namespaces apart.

    Loopback and link-local addresses are the same in many namespaces.
    """
    if len(body) < _ADDRESS_BYTES:
        return None
    try:
        values = {kind: body[start:end] for kind, start, end in walk(body, _ADDRESS_BYTES, len(body))}
    except ValueError:
        return None
    packed = values.get(_LOCAL, values.get(_ADDRESS, b""))  # on point-to-point links only LOCAL is one's own
    if len(packed) != _LENGTH_OF_FAMILY.get(body[0]):
        return None
    high, low = map_address(packed)
    is_loopback = high == 0 and (low == 1 or low >> 24 == _LOOPBACK_V4)
    return None if is_loopback or high >> 54 == _LINK_LOCAL else (high, low)


def parse_link_namespace(body: bytes) -> int | None:
    """Number of the namespace to which a link's other end belongs; None when it lies in its own."""
    return _number(body, _LINK_BYTES, _LINK_NAMESPACE_ID)


def parse_namespace_id(body: bytes) -> int | None:
    """The number that was asked for; None when the namespace has none here."""
    return _number(body, _GENERAL_BYTES, _NAMESPACE_ID)


def _number(body: bytes, start: int, wanted: int) -> int | None:
    try:
        for kind, value, end in walk(body, start, len(body)):
            if kind == wanted and end - value == 4:  # noqa: PLR2004 - bytes of an int
                number = int.from_bytes(body[value:end], "little", signed=True)
                return number if number >= 0 else None
    except ValueError:
        return None
    return None
