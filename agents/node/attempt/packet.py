"""Reads the head of an IP packet: both ends and what tells this packet from others of the same source.

The bytes are cut short by the kernel and written by anyone: each length is checked, whatever does not fit is None.
"""

from struct import Struct
from typing import Final, NamedTuple

from agents.node.attempt.address import Address, map_address

_AF_INET: Final = 2
_AF_INET6: Final = 10
_ICMP: Final = 1
_ICMP6: Final = 58
_TCP: Final = 6
_RST: Final = 0x04
WITH_PORTS: Final = frozenset({6, 17, 33, 132, 136})  # TCP, UDP, DCCP, SCTP, UDP-Lite
_ECHO_TYPES: Final = {_ICMP: frozenset({8, 13, 15, 17}), _ICMP6: frozenset({128, 139})}
"""Requests that conntrack tracks by an identifier (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c)."""
_EXTENSIONS: Final = frozenset({0, 43, 60, 135})  # hop by hop, routing, destination options, mobility (RFC 8200)
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51
_MAXIMUM_EXTENSIONS: Final = 8

_IPV4: Final = Struct("!BBHHHBBH4s4s")
_IPV6: Final = Struct("!IHBB16s16s")
_PORTS_AND_WORD: Final = Struct("!HHI")
_ICMP_HEAD: Final = Struct("!BBHHH")


class Head(NamedTuple):
    """The head of one packet. ``word`` is what NAT leaves alone in it; ``offset`` is where the transport begins.

    A tuple, as there are thousands a second.
    """

    family: int
    protocol: int
    source: Address
    destination: Address
    source_port: int
    destination_port: int
    icmp_type: int
    icmp_code: int
    icmp_id: int
    ip_bytes: int
    word: int
    offset: int


def parse_head(packet: bytes) -> Head | None:
    """The head of ``packet``, which may be cut short after the ports; None when it is no such thing."""
    if not packet:
        return None
    version = packet[0] >> 4
    if version == 4:  # noqa: PLR2004 - RFC 791
        return _parse_ipv4(packet)
    return _parse_ipv6(packet) if version == 6 else None  # noqa: PLR2004 - RFC 8200


def is_reset(packet: bytes, head: Head) -> bool:
    """Whether this is a TCP segment with RST."""
    flags = head.offset + 13
    return head.protocol == _TCP and flags < len(packet) and bool(packet[flags] & _RST)


def parse_unreachable(packet: bytes, head: Head) -> Head | None:
    """The head of the packet that an ICMP error in ``packet`` answers; None when it answers none."""
    is_unreachable = (head.protocol, head.icmp_type) in {(_ICMP, 3), (_ICMP6, 1)}
    return parse_head(packet[head.offset + _ICMP_HEAD.size :]) if is_unreachable else None


def _parse_ipv4(packet: bytes) -> Head | None:
    if len(packet) < _IPV4.size:
        return None
    first, _, total, identification, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    offset = (first & 0x0F) * 4
    if offset < _IPV4.size or fragment & 0x1FFF or total < offset:
        return None
    ends = (map_address(source), map_address(destination))
    return _parse_transport(packet, _AF_INET, protocol, ends, (total, identification, offset))


def _parse_ipv6(packet: bytes) -> Head | None:
    if len(packet) < _IPV6.size:
        return None
    label, payload, header, _, source, destination = _IPV6.unpack_from(packet)
    found = _skip_extensions(packet, header)
    if found is None:
        return None
    protocol, offset = found
    ends = (map_address(source), map_address(destination))
    return _parse_transport(packet, _AF_INET6, protocol, ends, (payload + _IPV6.size, label & 0xFFFF, offset))


def _skip_extensions(packet: bytes, header: int) -> tuple[int, int] | None:
    """Protocol and offset of the transport header after IPv6's extension headers."""
    offset = _IPV6.size
    for _ in range(_MAXIMUM_EXTENSIONS):
        if header not in _EXTENSIONS and header not in (_FRAGMENT, _AUTHENTICATION):
            return header, offset
        if offset + 8 > len(packet):
            return None
        if header == _FRAGMENT:
            if (packet[offset + 2] << 8 | packet[offset + 3]) & 0xFFF8:
                return None
            length = 8
        else:
            length = (packet[offset + 1] + 2) * 4 if header == _AUTHENTICATION else (packet[offset + 1] + 1) * 8
        header = packet[offset]
        offset += length
    return None


def _parse_transport(
    packet: bytes, family: int, protocol: int, ends: tuple[Address, Address], ip: tuple[int, int, int]
) -> Head | None:
    ip_bytes, identification, offset = ip
    ports = (0, 0)
    icmp = (0, 0, 0)
    sequence = 0
    if protocol in WITH_PORTS or protocol in _ECHO_TYPES:
        if offset + _PORTS_AND_WORD.size > len(packet):
            return None
        if protocol in WITH_PORTS:
            source_port, destination_port, sequence = _PORTS_AND_WORD.unpack_from(packet, offset)
            ports = (source_port, destination_port)
        else:
            kind, code, _, identifier, _ = _ICMP_HEAD.unpack_from(packet, offset)
            icmp = (kind, code, identifier if kind in _ECHO_TYPES[protocol] else 0)
    if protocol != _TCP:
        sequence = 0  # the same bytes hold a checksum elsewhere, which NAT changes
    word = ip_bytes << 48 & 0xFFFF000000000000 | identification << 32 | sequence
    return Head(family, protocol, *ends, *ports, *icmp, ip_bytes, word, offset)
