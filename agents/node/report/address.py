"""Turns the two words of an address into canonical text, remembering what it has rendered."""

import ipaddress
from collections.abc import Iterable

_MAPPED_PREFIX = 0xFFFF  # ::ffff:0:0/96, RFC 4291 section 2.5.5.2
_MAXIMUM_REMEMBERED = 1 << 15
"""A scan must not fill memory with addresses; a node's peers rarely exceed a few thousand."""


class AddressText:
    """Canonical text of addresses: dotted for mapped IPv4, RFC 5952 for IPv6."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], str] = {}

    def render(self, high: Iterable[int], low: Iterable[int]) -> list[str]:
        """Texts of addresses given as columns of high and low words."""
        known = self._known
        if len(known) > _MAXIMUM_REMEMBERED:
            known.clear()
        texts = []
        for words in zip(high, low, strict=True):
            text = known.get(words)
            if text is None:
                text = known[words] = render_address(*words)
            texts.append(text)
        return texts


def render_address(high: int, low: int) -> str:
    """Text of one address."""
    if high == 0 and low >> 32 == _MAPPED_PREFIX:
        return str(ipaddress.IPv4Address(low & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address((high << 64) | low))
