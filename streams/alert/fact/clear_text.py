"""Which protocols anybody on the way can read."""

from typing import Final

_PROTOCOLS: Final = frozenset(
    {"http", "http2", "ftp", "telnet", "smtp", "pop3", "imap", "ldap", "mysql", "redis", "mqtt"}
)
_SECURE: Final = frozenset({"tls", "ssh", "https", "quic", "grpc-tls"})
_PORTS: Final = frozenset(
    {20, 21, 23, 25, 69, 80, 110, 143, 389, 512, 513, 514, 1883, 2049, 3306, 5900, 6379, 8080, 11211}
)
"""IANA's assignments of what is seldom encrypted there, tried only when nothing is known of the protocol."""


def is_clear_text(protocol: str, port: int, transport: str) -> bool:
    """By protocol where it is known, else by port."""
    if protocol in _PROTOCOLS:
        return True
    if protocol in _SECURE or protocol:
        return False
    return port in _PORTS and transport in ("tcp", "udp")
