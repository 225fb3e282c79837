"""Avro single-object encoding: C3 01, the schema's CRC-64-AVRO fingerprint, the body.

Source: Avro 1.12 specification, "Single-object encoding". With a registry the Confluent frame (a zero byte
and a four-byte schema id, big-endian) stands in its place; the body is the same. A topic may hold both, and records
of an earlier release, so whatever the frame for writing, every frame is read.
"""

from collections import OrderedDict
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.errors import DecodeError, SchemaError, UnknownSchemaError
from schemas.schema import Schema, read_released_schema, read_schema

Record = dict[str, Any]
_MARKER = b"\xc3\x01"
_FINGERPRINT_FRAME_BYTES = 10
_REGISTRY_FRAME_BYTES = 5
_MAXIMUM_BYTES = 16 << 20
_REMEMBERED_SCHEMAS = 256
"""Of a registry: a subject with more living versions than this is none of ours."""


class SingleObjectCodec:
    """Encodes the records of one schema, and decodes them whatever version they were written with."""

    def __init__(self, schema: Schema, registry_id: int | None = None, earlier: Iterable[Schema] = ()) -> None:
        """``registry_id`` chooses the Confluent frame for encoding. ``earlier``: versions whose fingerprints are
        accepted too.
        """
        self._schema = schema
        self._own = _fingerprint_frame(schema)
        self._frame = self._own if registry_id is None else _registry_frame(registry_id)
        self._by_fingerprint = {_fingerprint_frame(version): version for version in earlier} | {self._own: schema}
        self._by_id: OrderedDict[int, Schema] = OrderedDict()
        if registry_id is not None:
            self._by_id[registry_id] = schema

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
        """Raise DecodeError when frame, fingerprint or body is wrong, or bytes are left over.

        Raises UnknownSchemaError, which names the id, when a registry has to be asked first: see ``learn``.
        """
        if len(data) > _MAXIMUM_BYTES:
            raise DecodeError(f"{len(data)} bytes, more than {_MAXIMUM_BYTES}")
        writer, length = self._writer_of(data)
        body = BytesIO(data[length:])
        try:
            record = fastavro.schemaless_reader(body, writer, None if writer is self._schema else self._schema)
        except Exception as error:
            # fastavro raises whatever the bytes provoke (EOFError, IndexError, UnicodeDecodeError, MemoryError …).
            raise DecodeError(f"{self._schema['name']}: {type(error).__name__}: {error}") from error
        if body.read(1):
            raise DecodeError(f"{self._schema['name']}: bytes left over after the record")
        if not isinstance(record, dict):
            raise DecodeError(f"{self._schema['name']}: not a record")
        return record

    def learn(self, registry_id: int, schema: Schema) -> None:
        """Take a registry's word for an id. Raises DecodeError when the schema is that of other records."""
        if schema.get("name") != self._schema["name"]:
            name = str(schema.get("name"))[:100]
            raise DecodeError(f"the schema registry's id {registry_id} is {name}, not {self._schema['name']}")
        is_own = _fingerprint_frame(schema) == self._own
        self._by_id[registry_id] = self._schema if is_own else schema
        if len(self._by_id) > _REMEMBERED_SCHEMAS:
            self._by_id.popitem(last=False)

    def _writer_of(self, data: bytes) -> tuple[Schema, int]:
        """The schema that the record was written with, and where its body begins."""
        if data[:2] == _MARKER and len(data) >= _FINGERPRINT_FRAME_BYTES:
            frame = data[:_FINGERPRINT_FRAME_BYTES]
            if frame not in self._by_fingerprint:
                raise DecodeError(f"another schema than {self._schema['name']}: frame {frame.hex()}")
            return self._by_fingerprint[frame], _FINGERPRINT_FRAME_BYTES
        if data[:1] == b"\x00" and len(data) >= _REGISTRY_FRAME_BYTES:
            registry_id = int.from_bytes(data[1:_REGISTRY_FRAME_BYTES], "big")
            if registry_id not in self._by_id:
                raise UnknownSchemaError(registry_id)
            return self._by_id[registry_id], _REGISTRY_FRAME_BYTES
        raise DecodeError("neither Avro single-object encoding nor a schema registry's frame")


def codec_of(schema_name: str, registry_id: int | None = None) -> SingleObjectCodec:
    """Codec of one of our schemas, which also reads what the last release wrote."""
    return SingleObjectCodec(read_schema(schema_name), registry_id, (read_released_schema(schema_name),))


def _fingerprint_frame(schema: Schema) -> bytes:
    # fastavro prints the 64 bits in the order in which they go on the wire (little-endian).
    return _MARKER + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def _registry_frame(registry_id: int) -> bytes:
    return b"\x00" + registry_id.to_bytes(4, "big")
