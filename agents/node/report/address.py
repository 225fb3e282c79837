"""Turns the two words of an address into canonical text."""

import ipaddress
from typing import Final

import numpy as np
import numpy.typing as npt

_MAPPED_PREFIX: Final = 0xFFFF  # ::ffff:0:0/96, RFC 4291 section 2.5.5.2

Words = npt.NDArray[np.uint64]


def render_addresses(high: Words, low: Words) -> tuple[list[str], npt.NDArray[np.intp]]:
    """Each distinct address once, as text, and for each given one its index among them."""
    order = np.lexsort((low, high)) if high.any() else np.argsort(low)
    ordered_high, ordered_low = high[order], low[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (ordered_high[1:] != ordered_high[:-1]) | (ordered_low[1:] != ordered_low[:-1])
    indices = np.zeros(len(order), np.intp)
    indices[order] = np.cumsum(is_new) - 1
    distinct = zip(ordered_high[is_new].tolist(), ordered_low[is_new].tolist(), strict=True)
    return [render_address(*words) for words in distinct], indices


def render_address(high: int, low: int) -> str:
    """Text of one address: dotted for mapped IPv4, RFC 5952 for IPv6."""
    if high == 0 and low >> 32 == _MAPPED_PREFIX:
        return str(ipaddress.IPv4Address(low & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address((high << 64) | low))
