"""ECS words for what is on the wire."""

_TRANSPORTS = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}


def transport(protocol: int) -> str:
    """ECS network.transport of an IANA protocol number."""
    return _TRANSPORTS.get(protocol, str(protocol))


def network_type(address: str) -> str:
    """ECS network.type of an address in text."""
    return "ipv6" if ":" in address else "ipv4"
