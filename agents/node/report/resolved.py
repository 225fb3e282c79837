"""What a client learned from an answer of DNS."""

from dataclasses import dataclass

Address = tuple[int, int]
"""High and low word of the 16-byte address; IPv4 is mapped."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Addresses that a client learned for names."""

    client: Address
    names: tuple[str, ...]
    """The one asked for first."""
    addresses: tuple[Address, ...]
    """None when the answer holds none; it still says that the client's DNS is seen."""
    time_to_live_seconds: int
    at_ns: int
