"""Parts of the raw topics for tests, without rows or with given ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.batch import Batch
from schemas.container import ContainerEncoder
from schemas.schema import read_schema
from streams.source.part import Part, PartDecoder, empty_rows

SECOND = 1_000_000_000
_SCHEMAS = {name: read_schema(name) for name in ("raw_flow", "dns_exchange", "l7_exchange")}
_ENCODERS = {name: ContainerEncoder(schema) for name, schema in _SCHEMAS.items()}
_DECODERS = {name: PartDecoder(schema) for name, schema in _SCHEMAS.items()}
NO_FLOWS = empty_rows(_SCHEMAS["raw_flow"])
_BLANK = {"string": "", "long": 0, "int": 0, "boolean": False}
_NOWHERE = "192.0.2.1"


def batch(node: str = "node1", sequence: int = 0, start: int = 0, end: int = 10, **facts: Any) -> Batch:
    """``start`` and ``end`` in seconds."""
    values: dict[str, Any] = {
        "cluster": "default",
        "boot": "boot",
        "partition": 0,
        "partitions": 1,
        "part": 0,
        "parts": 1,
        "coverage": "complete",
        "lost": {},
        **facts,
    }
    return Batch(node=node, sequence=sequence, interval_start_ns=start * SECOND, interval_end_ns=end * SECOND, **values)


def raw_flow(**values: Any) -> dict[str, Any]:
    """A row of flows.raw with blanks where nothing is said, and an address outside for one that is not."""
    return _row("raw_flow", values)


def dns_exchange(**values: Any) -> dict[str, Any]:
    """A row of dns.raw, blank in the same way."""
    return _row("dns_exchange", values)


def l7_exchange(**values: Any) -> dict[str, Any]:
    """A row of l7.raw, blank in the same way."""
    return _row("l7_exchange", values)


def encoded(of: Batch, rows: Sequence[Mapping[str, Any]] = (), schema: str = "raw_flow") -> bytes:
    """A message of a raw topic."""
    return _ENCODERS[schema].encode(rows, of.metadata(), b"0123456789abcdef")


def part(of: Batch, rows: Sequence[Mapping[str, Any]] = (), offset: int = 0, schema: str = "raw_flow") -> Part:
    """A decoded message of a raw topic."""
    return _DECODERS[schema].decode(encoded(of, rows, schema), offset)


def _row(schema: str, values: dict[str, Any]) -> dict[str, Any]:
    blank = {field["name"]: _blank(field["type"]) for field in _SCHEMAS[schema]["fields"]}
    blank |= {name: _NOWHERE for name in blank if name.endswith("_address")}
    unknown = set(values) - set(blank)
    assert not unknown, f"no field of {schema}: {unknown}"
    return {**blank, **values}


def _blank(avro_type: Any) -> Any:
    if isinstance(avro_type, list):
        return None
    return [] if isinstance(avro_type, dict) else _BLANK[avro_type]


def bare_part(of: Batch, offset: int) -> Part:
    """A part for tests that look at its name and span only."""
    return Part(of, offset, pl.DataFrame())
