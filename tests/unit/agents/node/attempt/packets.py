"""Packets and log messages as the kernel writes them, for tests."""

import ipaddress
import struct

TCP, UDP, ICMP, ICMP6, SCTP = 6, 17, 1, 58, 132
SYN, RST = 0x02, 0x04
_PACKET_MESSAGE = 4 << 8


def ports(source: int, destination: int, *, flags: int = SYN, sequence: int = 7) -> bytes:
    """A TCP header; its first 8 bytes serve for the other protocols with ports."""
    return struct.pack("!HHIIBBHHH", source, destination, sequence, 0, 5 << 4, flags, 1024, 0, 0)


def echo(identifier: int, kind: int = 8) -> bytes:
    return struct.pack("!BBHHH", kind, 0, 0, identifier, 1)


def ipv4(
    source: str, destination: str, protocol: int, payload: bytes, *, options: bytes = b"", fragment: int = 0
) -> bytes:
    length = 20 + len(options) + len(payload)
    head = struct.pack(
        "!BBHHHBBH4s4s",
        4 << 4 | (5 + len(options) // 4), 0, length, 4242, fragment, 64, protocol, 0,
        ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed,
    )  # fmt: skip
    return head + options + payload


def ipv6(source: str, destination: str, protocol: int, payload: bytes, *extensions: tuple[int, bytes]) -> bytes:
    """``extensions``: own number and body after the next-header byte, in order."""
    body = b""
    numbers = [number for number, _ in extensions] + [protocol]
    for (_, content), following in zip(extensions, numbers[1:], strict=True):
        body += bytes([following]) + content
    body += payload
    return (
        struct.pack("!IHBB", 6 << 28 | 99, len(body), numbers[0], 64)
        + ipaddress.ip_address(source).packed
        + ipaddress.ip_address(destination).packed
        + body
    )


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def direction(kind: int, source: str, destination: str, source_port: int, destination_port: int) -> bytes:
    """One tuple of NFULA_CT."""
    ends = [ipaddress.ip_address(text).packed for text in (source, destination)]
    first = 1 if len(ends[0]) == 4 else 3
    addresses = attribute(first, ends[0]) + attribute(first + 1, ends[1])
    numbers = (
        attribute(1, bytes([TCP]))
        + attribute(2, source_port.to_bytes(2, "big"))
        + attribute(3, destination_port.to_bytes(2, "big"))
    )
    return attribute(kind, attribute(1, addresses) + attribute(2, numbers))


def message(prefix: str, packet: bytes, *extra: tuple[int, bytes], sequence: int | None = None) -> bytes:
    """One NFULNL_MSG_PACKET."""
    body = struct.pack("=BBH", 2, 0, 0) + attribute(1, b"\x08\x00\x00\x00") + attribute(10, prefix.encode() + b"\0")
    if sequence is not None:
        body += attribute(12, sequence.to_bytes(4, "big"))
    for kind, value in extra:
        body += attribute(kind, value)
    body += attribute(9, packet)
    return struct.pack("=IHHII", 16 + len(body), _PACKET_MESSAGE, 0, 0, 0) + body
