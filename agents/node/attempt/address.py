"""Turns an address's bytes into the two words of the agent's columns."""

from struct import Struct
from typing import Final

Address = tuple[int, int]
"""High and low word of the 16-byte address; IPv4 is mapped (RFC 4291 section 2.5.5.2)."""

_MAPPED: Final = 0xFFFF00000000
_WORDS: Final = Struct("!QQ")


def map_address(packed: bytes) -> Address:
    """The words of 4 or 16 bytes in network order; raises struct.error for any other length."""
    if len(packed) == 4:  # noqa: PLR2004 - bytes of an IPv4 address
        return 0, _MAPPED | int.from_bytes(packed, "big")
    high, low = _WORDS.unpack(packed)
    return high, low
