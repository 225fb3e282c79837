"""Protocols and ports as rules of Calico write them.

Source: docs.tigera.io, "Network policy", fields protocol, notProtocol, ports, icmp.
"""

from collections.abc import Mapping
from typing import Final

from streams.policy.combination import AllOf, AnyOf
from streams.policy.condition import Condition, NamedPort, OfProtocol, PortRange, Unknown
from streams.policy.fault import PolicyFault
from streams.policy.field import show

_NAMES: Final[Mapping[str, str]] = {
    "tcp": "TCP",
    "udp": "UDP",
    "sctp": "SCTP",
    "icmp": "ICMP",
    "icmpv6": "ICMPv6",
    "udplite": "136",
}
_NUMBERS: Final[Mapping[int, str]] = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP"}
_LAST_PROTOCOL: Final = 255
_LAST_PORT: Final = 65535
_WITH_PORTS: Final = frozenset({"TCP", "UDP", "SCTP", "136"})


def parse_protocol(raw: object, where: str) -> str:
    """Read a name or a number as questions have it. Raise PolicyFault when it is neither."""
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) <= len(str(_LAST_PROTOCOL)):
        raw = int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and 1 <= raw <= _LAST_PROTOCOL:
        return _NUMBERS.get(raw, str(raw))
    if isinstance(raw, str) and raw.lower() in _NAMES:
        return _NAMES[raw.lower()]
    raise PolicyFault(f"{where}: expected a protocol's name or its number from 1 to {_LAST_PROTOCOL}, got {show(raw)}")


def parse_port(raw: object, protocol: str | None, where: str) -> Condition:
    """Read a number, a range such as 80:90, or the name of the destination's port, of the rule's protocol."""
    if protocol not in _WITH_PORTS:
        raise PolicyFault(f"{where}: ports need protocol TCP, UDP or SCTP")
    if isinstance(raw, str) and raw and not raw[0].isdigit():
        if ":" in raw:
            raise PolicyFault(f"{where}: expected a port, a range such as 80:90 or a name, got {show(raw)}")
        return NamedPort(protocol, raw)
    first, separator, last = ("" if isinstance(raw, bool) else str(raw)).partition(":")
    lowest, highest = _number(first), _number(last if separator else first)
    if lowest is None or highest is None or highest < lowest:
        raise PolicyFault(f"{where}: expected a port, a range such as 80:90 or a name, got {show(raw)}")
    return PortRange(protocol, lowest, highest)


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LAST_PORT))):
        return None
    return int(text) if int(text) <= _LAST_PORT else None


def with_type(fault: str) -> Condition:
    """Types and codes of ICMP messages are in no record of a connection: what they ask cannot be known."""
    return AllOf((AnyOf((OfProtocol("ICMP"), OfProtocol("ICMPv6"))), Unknown(fault)))
