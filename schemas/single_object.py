"""Avro single-object encoding: C3 01, the schema's CRC-64-AVRO fingerprint, the body.

Source: Avro 1.12 specification, "Single-object encoding". With a registry the Confluent frame (a zero byte
and a four-byte schema id, big-endian) stands in its place; the body is the same.
"""

from io import BytesIO
from typing import Any

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.errors import DecodeError, SchemaError
from schemas.schema import Schema

Record = dict[str, Any]
_MARKER = b"\xc3\x01"
_FRAME_BYTES = {0xC3: 10, 0x00: 5}
_MAXIMUM_BYTES = 16 << 20


class SingleObjectCodec:
    """Encodes and decodes the records of one schema."""

    def __init__(self, schema: Schema, registry_id: int | None = None) -> None:
        """``registry_id`` chooses the Confluent frame for encoding; decoding takes either."""
        self._schema = schema
        canonical = to_parsing_canonical_form(schema)
        # fastavro prints the 64 bits in the order in which they go on the wire (little-endian).
        self._header = _MARKER + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
        self._frame = self._header if registry_id is None else b"\x00" + registry_id.to_bytes(4, "big")
        self._registry_id = registry_id

    def encode(self, record: Record) -> bytes:
        """Raise SchemaError, naming the field, when the record does not fit."""
        buffer = BytesIO()
        buffer.write(self._frame)
        try:
            fastavro.schemaless_writer(buffer, self._schema, record)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SchemaError(f"{self._schema['name']}: {error}") from error
        return buffer.getvalue()

    def decode(self, data: bytes) -> Record:
        """Raise DecodeError when frame, fingerprint or body is wrong, or bytes are left over."""
        if len(data) > _MAXIMUM_BYTES:
            raise DecodeError(f"{len(data)} bytes, more than {_MAXIMUM_BYTES}")
        body = BytesIO(data[self._check_frame(data) :])
        try:
            record = fastavro.schemaless_reader(body, self._schema, None)
        except Exception as error:
            # fastavro raises whatever the bytes provoke (EOFError, IndexError, UnicodeDecodeError, MemoryError …).
            raise DecodeError(f"{self._schema['name']}: {type(error).__name__}: {error}") from error
        if body.read(1):
            raise DecodeError(f"{self._schema['name']}: bytes left over after the record")
        if not isinstance(record, dict):
            raise DecodeError(f"{self._schema['name']}: not a record")
        return record

    def _check_frame(self, data: bytes) -> int:
        length = _FRAME_BYTES.get(data[0]) if data else None
        if length is None or len(data) < length:
            raise DecodeError("neither Avro single-object encoding nor a registry frame")
        if data[0] == 0 and self._registry_id is None:
            raise DecodeError("a registry frame, but no schema registry is set")
        if data[:length] != (self._header if data[0] else self._frame):
            raise DecodeError(f"another schema than {self._schema['name']}: frame {data[:length].hex()}")
        return length
