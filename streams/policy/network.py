"""Addresses and CIDR blocks as numbers, so that membership is two comparisons and a block has two edges."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from streams.policy.fault import PolicyFault
from streams.policy.field import as_text, show


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An IP address; an IPv4 address mapped into IPv6 is the IPv4 address (RFC 4291 section 2.5.5.2)."""

    version: int
    value: int


@dataclass(frozen=True, slots=True)
class Network:
    """All addresses of one family from ``first`` to ``last``, both included."""

    version: int
    first: int
    last: int

    def contains(self, address: Address) -> bool:
        """Tell whether the address lies in this block."""
        return address.version == self.version and self.first <= address.value <= self.last

    def covers(self, other: "Network") -> bool:
        """Tell whether the other block lies wholly in this one."""
        return self.version == other.version and self.first <= other.first and other.last <= self.last


def parse_address(text: str) -> Address | None:
    """Read an address; None when the text is none."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return Address(address.version, int(address))


def parse_network(raw: object, where: str) -> Network:
    """Read a CIDR block; host bits may be set, as the API server allows. Raise PolicyFault when it is none."""
    text = as_text(raw, where)
    try:
        # An address without a length is a block of one to Python, but nothing to the API server.
        network = ip_network(text if "/" in text else "", strict=False)
    except ValueError:
        raise PolicyFault(f"{where}: expected a CIDR block such as 10.0.0.0/8, got {show(text)}") from None
    if network.version == 6 and network.network_address.ipv4_mapped is not None:  # noqa: PLR2004 - IP version
        # Network plugins disagree on whether such a block holds IPv4 addresses.
        raise PolicyFault(f"{where}: {text} is an IPv4 block mapped into IPv6; write it as IPv4")
    return Network(network.version, int(network.network_address), int(network.broadcast_address))
