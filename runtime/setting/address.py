"""Addresses to listen at. Pure."""

from typing import Final

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def is_loopback(address: str) -> bool:
    """Whether ``host:port`` is reached from this machine only."""
    return address.rpartition(":")[0].strip("[]") in _LOOPBACK


def require_address(name: str, address: str) -> None:
    """Raise ValueError, naming the setting, for what is not ``host:port``."""
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        raise ValueError(f"`{name}` must be host:port, got {address!r}")
