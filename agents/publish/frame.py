"""How intervals and state lie in files: a marker, a JSON header with the lengths, the bytes, a checksum.

A file torn by a crash, or of another release, is told from a whole one; it is never half believed.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agents.errors import ReadError
from agents.publish.interval import Interval, Message

_HEAD: Final = struct.Struct("<4sI")
_CHECKSUM: Final = struct.Struct("<I")
_INTERVAL_MARKER: Final = b"CTI1"


def pack(marker: bytes, header: Mapping[str, Any], blobs: Sequence[bytes]) -> bytes:
    """One file's bytes. ``marker`` is four bytes that name content and release of the format."""
    text = json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode()
    body = b"".join([_HEAD.pack(marker, len(text)), text, *blobs])
    return body + _CHECKSUM.pack(zlib.crc32(body))


def unpack(marker: bytes, data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Header and blobs. Raises ReadError when the bytes are torn or of another kind."""
    if len(data) < _HEAD.size + _CHECKSUM.size or data[:4] != marker:
        raise ReadError("not a file of this release")
    body = memoryview(data)[: -_CHECKSUM.size]
    if _CHECKSUM.unpack(data[-_CHECKSUM.size :])[0] != zlib.crc32(body):
        raise ReadError("torn: the checksum does not fit")
    position = _HEAD.size + _HEAD.unpack_from(data)[1]
    header = json.loads(bytes(body[_HEAD.size : position]))
    blobs = []
    for size in header["sizes"]:
        blobs.append(bytes(body[position : position + size]))
        position += size
    if position != len(body):
        raise ReadError("lengths do not fit the file")
    return header, blobs


def pack_interval(interval: Interval) -> bytes:
    """An interval as a file."""
    header = {
        "sequence": interval.sequence,
        "partitions": interval.partitions,
        "is_divided_for_sure": interval.is_divided_for_sure,
        "of_partition": [message.partition for message in interval.messages],
    }
    return pack(_INTERVAL_MARKER, header, [message.value for message in interval.messages])


def unpack_interval(data: bytes) -> Interval:
    """The interval again. Raises ReadError when the file is torn or of another kind."""
    header, blobs = unpack(_INTERVAL_MARKER, data)
    try:
        messages = tuple(
            Message(partition, value) for partition, value in zip(header["of_partition"], blobs, strict=True)
        )
        return Interval(header["sequence"], header["partitions"], header["is_divided_for_sure"], messages)
    except (KeyError, ValueError) as error:
        raise ReadError(f"no interval: {error}") from error
