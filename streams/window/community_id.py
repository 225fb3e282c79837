"""Community ID v1: the public hash by which other tools name the same connection.

Source: Corelight's Community ID specification, version 1, with seed 0.
"""

import base64
import hashlib
import ipaddress
from functools import lru_cache

_ICMP, _ICMPV6, _WITH_PORTS = 1, 58, (6, 17, 132)
_ICMP_COUNTERPARTS = {0: 8, 8: 0, 9: 10, 10: 9, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17}
_ICMPV6_COUNTERPARTS = {
    128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139,
    144: 145, 145: 144,
}  # fmt: skip


def community_id(protocol: int, source: tuple[str, int], destination: tuple[str, int], icmp: tuple[int, int]) -> str:
    """``source`` and ``destination`` are (address, port); ``icmp`` is (type, code), unused by other protocols."""
    first, second, is_ordered = _endpoints(protocol, source[1], destination[1], icmp)
    source_key = (_packed(source[0]), first)
    destination_key = (_packed(destination[0]), second)
    if is_ordered or source_key < destination_key:
        low, high = source_key, destination_key
    else:
        low, high = destination_key, source_key
    data = b"\x00\x00" + low[0] + high[0] + bytes((protocol, 0))
    if protocol in _WITH_PORTS or protocol in (_ICMP, _ICMPV6):
        data += low[1].to_bytes(2, "big") + high[1].to_bytes(2, "big")
    return "1:" + base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def _endpoints(protocol: int, source: int, destination: int, icmp: tuple[int, int]) -> tuple[int, int, bool]:
    """Ports, or what stands for them; and whether the order is fixed since the message has no counterpart."""
    counterparts = {_ICMP: _ICMP_COUNTERPARTS, _ICMPV6: _ICMPV6_COUNTERPARTS}.get(protocol)
    if counterparts is None:
        return source, destination, False
    kind, code = icmp
    return (kind, counterparts[kind], False) if kind in counterparts else (kind, code, True)


@lru_cache(maxsize=65536)
def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed
