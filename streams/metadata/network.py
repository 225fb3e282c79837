"""Address ranges: whether an address that nobody is known to have belongs to the cluster all the same."""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

_IPV4: Final = 4
_OCTETS: Final = 4


class Networks:
    """A set of CIDR ranges. Addresses come from outside and can be as many as rows, so columns are looked up."""

    def __init__(self, texts: Iterable[str]) -> None:
        """A text that is no CIDR range is passed over."""
        parsed = [network for text in texts if (network := _parsed(text)) is not None]
        ipv4 = ipaddress.collapse_addresses(network for network in parsed if isinstance(network, ipaddress.IPv4Network))
        ipv6 = ipaddress.collapse_addresses(network for network in parsed if isinstance(network, ipaddress.IPv6Network))
        ipv4_ranges = [(int(network.network_address), int(network.broadcast_address)) for network in ipv4]
        self._ipv4 = np.array(ipv4_ranges, dtype=np.int64).reshape(-1, 2)
        ipv6_ranges = [(int(network.network_address), int(network.broadcast_address)) for network in ipv6]
        self._ipv6_starts = [first for first, _ in ipv6_ranges]
        self._ipv6_ends = [last for _, last in ipv6_ranges]

    def contains(self, addresses: pl.Series) -> npt.NDArray[np.bool_]:
        """Whether each address, in canonical text, lies in a range; what is no address lies in none."""
        inside = self._contains_ipv4(addresses)
        is_ipv6 = addresses.str.contains(":", literal=True).fill_null(value=False).to_numpy()
        if self._ipv6_starts and is_ipv6.any():
            inside[is_ipv6] = [self._contains_ipv6(address) for address in addresses.filter(pl.Series(is_ipv6))]
        return inside

    def _contains_ipv4(self, addresses: pl.Series) -> npt.NDArray[np.bool_]:
        if not len(self._ipv4):
            return np.zeros(len(addresses), dtype=np.bool_)
        octets = addresses.str.split_exact(".", _OCTETS - 1).struct.unnest()
        shifted = (
            pl.col(name).cast(pl.Int64, strict=False) * (1 << (8 * (_OCTETS - 1 - place)))
            for place, name in enumerate(octets.columns)
        )
        values = octets.select(pl.sum_horizontal(*shifted, ignore_nulls=False).alias("value"))["value"]
        numbers = values.fill_null(-1).to_numpy()
        places = np.searchsorted(self._ipv4[:, 0], numbers, side="right") - 1
        inside: npt.NDArray[np.bool_] = (places >= 0) & (numbers <= self._ipv4[places, 1])
        return inside

    def _contains_ipv6(self, address: str) -> bool:
        try:
            value = int(ipaddress.IPv6Address(address))
        except ValueError:
            return False
        place = bisect_right(self._ipv6_starts, value) - 1
        return place >= 0 and value <= self._ipv6_ends[place]


def _parsed(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
