"""Avro object containers: many rows in one message, facts about them in the metadata.

Source: Avro 1.12 specification, "Object container files". Containers are written with codec null, since the topic
compresses, and name their schema in parsing canonical form: without documentation it is a third of the size, and
vectorised readers accept it. ``check_container`` proves the frame before anything is handed to such a reader,
since those trust the counts they read.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro
from fastavro.schema import to_parsing_canonical_form

from schemas.errors import DecodeError, SchemaError
from schemas.schema import Schema

_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_MAXIMUM_METADATA_ENTRIES = 64
_MAXIMUM_BYTES = 64 << 20
_VARINT_BYTES = 10


class ContainerEncoder:
    """Writes rows of one schema into containers."""

    def __init__(self, schema: Schema) -> None:
        self._name = schema["name"]
        self._schema = fastavro.parse_schema(json.loads(to_parsing_canonical_form(schema)))

    def encode(self, rows: Iterable[Mapping[str, Any]], metadata: Mapping[str, str], sync_marker: bytes) -> bytes:
        """Every row has every field. ``sync_marker``: any 16 bytes, chosen by the caller so that equal input
        gives equal bytes. Raises SchemaError when a row does not fit.
        """
        buffer = BytesIO()
        try:
            fastavro.writer(buffer, self._schema, rows, codec="null", metadata=dict(metadata), sync_marker=sync_marker)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SchemaError(f"{self._name}: {error}") from error
        return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Frame:
    """A container whose frame is proven."""

    data: bytes
    metadata: Mapping[str, str]
    rows: int
    sync_marker: bytes
    blocks: tuple[tuple[int, int], ...]
    """Where each block begins, with its counts, and ends, before its sync marker."""


def check_container(data: bytes, minimum_row_bytes: int) -> Frame:
    """Prove a container's frame without decoding rows.

    Every length must lie inside the data and every block hold at least ``minimum_row_bytes`` a row, so that a
    count can never make a decoder allocate more than the message pays for. Raises DecodeError.
    """
    if len(data) > _MAXIMUM_BYTES:
        raise DecodeError(f"{len(data)} bytes, more than {_MAXIMUM_BYTES}")
    if not data.startswith(_MAGIC):
        raise DecodeError("not an Avro object container")
    metadata, position = _read_metadata(data, len(_MAGIC))
    if metadata.get("avro.codec", "null") != "null":
        raise DecodeError(f"codec {metadata['avro.codec'][:32]!r}: only null is accepted")
    sync = data[position : position + _SYNC_BYTES]
    position += _SYNC_BYTES
    if position > len(data):
        raise DecodeError("ends within the header")
    rows, blocks = 0, []
    while position < len(data):
        start = position
        count, position = _read_long(data, position)
        size, position = _read_long(data, position)
        if count < 0 or size < count * minimum_row_bytes or position + size + _SYNC_BYTES > len(data):
            raise DecodeError(f"a block of {count} rows in {size} bytes does not fit at byte {position}")
        position += size
        blocks.append((start, position))
        if data[position : position + _SYNC_BYTES] != sync:
            raise DecodeError(f"no sync marker at byte {position}")
        position += _SYNC_BYTES
        rows += count
    return Frame(data, metadata, rows, sync, tuple(blocks))


def join_containers(frames: Sequence[Frame]) -> bytes:
    """One container with the rows of all, in order, and the metadata of the first; all name the same schema."""
    first = frames[0]
    pieces: list[bytes | memoryview] = [first.data]
    for frame in frames[1:]:
        view = memoryview(frame.data)
        for start, end in frame.blocks:
            pieces += [view[start:end], first.sync_marker]
    return b"".join(pieces)


def _read_metadata(data: bytes, position: int) -> tuple[dict[str, str], int]:
    metadata: dict[str, str] = {}
    while True:
        count, position = _read_long(data, position)
        if count == 0:
            return metadata, position
        if count < 0:  # a negative count is followed by the block's size in bytes
            _, position = _read_long(data, position)
            count = -count
        if count + len(metadata) > _MAXIMUM_METADATA_ENTRIES:
            raise DecodeError(f"more than {_MAXIMUM_METADATA_ENTRIES} metadata entries")
        for _ in range(count):
            key, position = _read_text(data, position)
            metadata[key], position = _read_text(data, position)


def _read_text(data: bytes, position: int) -> tuple[str, int]:
    length, position = _read_long(data, position)
    if length < 0 or position + length > len(data):
        raise DecodeError(f"a text of {length} bytes does not fit at byte {position}")
    try:
        return data[position : position + length].decode(), position + length
    except UnicodeDecodeError as error:
        raise DecodeError(f"no UTF-8 at byte {position}") from error


def _read_long(data: bytes, position: int) -> tuple[int, int]:
    """A zigzag variable-length integer; at most ten bytes."""
    value = 0
    for index in range(_VARINT_BYTES):
        if position + index >= len(data):
            raise DecodeError("ends within a number")
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return (value >> 1) ^ -(value & 1), position + index + 1
    raise DecodeError(f"a number of more than {_VARINT_BYTES} bytes at byte {position}")
