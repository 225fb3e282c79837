"""Parts of flows.raw for tests, without rows or with given ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from schemas.batch import Batch
from schemas.container import ContainerEncoder
from schemas.schema import read_schema
from streams.source.part import Part, PartDecoder

SECOND = 1_000_000_000
_SCHEMA = read_schema("raw_flow")
_ENCODER = ContainerEncoder(_SCHEMA)
_DECODER = PartDecoder(_SCHEMA)
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
    blank = {
        field["name"]: None if isinstance(field["type"], list) else _BLANK[field["type"]] for field in _SCHEMA["fields"]
    }
    blank |= {name: _NOWHERE for name in blank if name.endswith("_address")}
    unknown = set(values) - set(blank)
    assert not unknown, f"no field of RawFlow: {unknown}"
    return {**blank, **values}


def encoded(of: Batch, rows: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """A message of flows.raw."""
    return _ENCODER.encode(rows, of.metadata(), b"0123456789abcdef")


def part(of: Batch, rows: Sequence[Mapping[str, Any]] = (), offset: int = 0) -> Part:
    """A decoded message of flows.raw."""
    return _DECODER.decode(encoded(of, rows), offset)


def bare_part(of: Batch, offset: int) -> Part:
    """A part for tests that look at its name and span only."""
    return Part(of, offset, pl.DataFrame())
