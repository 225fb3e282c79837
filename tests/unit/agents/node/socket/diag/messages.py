"""sock_diag messages as the kernel writes them, for tests."""

import ipaddress
import struct

ESTABLISHED, LISTEN = 1, 10


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def tcp_info(*, rtt_us: int = 150, retransmits: int = 3, size: int = 248) -> bytes:
    info = bytearray(size)
    struct.pack_into("=I", info, 32, 2)
    struct.pack_into("=II", info, 68, rtt_us, 40)
    struct.pack_into("=I", info, 100, retransmits)
    if size >= 168:
        struct.pack_into("=Q", info, 160, 1_000_000)
    return bytes(info)


def message(
    local: tuple[str, int], remote: tuple[str, int], *attributes: bytes, state: int = ESTABLISHED, number: int = 1
) -> bytes:
    ends = [ipaddress.ip_address(end[0]).packed for end in (local, remote)]
    body = struct.pack("=BBBB", 2 if len(ends[0]) == 4 else 10, state, 0, 0)
    body += struct.pack("!HH", local[1], remote[1]) + b"".join(end.ljust(16, b"\0") for end in ends)
    body += struct.pack("=IQIIIII", 0, 77, 0, 0, 0, 0, 4711) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), 20, 0, number, 0) + body


def joined(*messages: bytes) -> tuple[bytearray, list[int], list[int]]:
    """A buffer with the messages, and where each lies."""
    offsets, lengths, buffer = [], [], bytearray()
    for each in messages:
        offsets.append(len(buffer))
        lengths.append(len(each))
        buffer += each + bytes(-len(each) % 4)
    return buffer, offsets, lengths
