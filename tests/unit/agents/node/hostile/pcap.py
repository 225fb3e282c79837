"""Reads and writes captures in the classic format of libpcap: a head, then each packet behind its time and lengths."""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_HEAD = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_MAGIC = 0xA1B2C3D4
_RAW_IP = 101
"""LINKTYPE_RAW: packets begin with their IP head."""
SNAP_BYTES = 4096


class Record(NamedTuple):
    """One packet, perhaps cut: its head tells how long it was."""

    at_us: int
    packet: bytes


def render(records: Iterable[Record]) -> bytes:
    """A capture, each packet cut to SNAP_BYTES."""
    parts = [_HEAD.pack(_MAGIC, 2, 4, 0, 0, SNAP_BYTES, _RAW_IP)]
    for at_us, packet in records:
        kept = packet[:SNAP_BYTES]
        parts += [_RECORD.pack(*divmod(at_us, 1_000_000), len(kept), len(packet)), kept]
    return b"".join(parts)


def parse(data: bytes) -> Iterator[Record]:
    """Packets of a capture that was written here."""
    magic, *_, link = _HEAD.unpack_from(data)
    assert (magic, link) == (_MAGIC, _RAW_IP)
    at = _HEAD.size
    while at < len(data):
        seconds, microseconds, kept, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size + kept
        yield Record(seconds * 1_000_000 + microseconds, data[at - kept : at])
