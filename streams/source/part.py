"""A part: one message of flows.raw, decoded to columns, with what it says of itself and where it stood in the log."""

from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import polars as pl

from schemas.batch import Batch, parse_batch
from schemas.container import check_container
from schemas.errors import DecodeError
from schemas.schema import Schema, read_schema
from streams.source.bound import check_bounds

_POLARS_TYPES = {"long": pl.Int64(), "int": pl.Int32(), "string": pl.String(), "boolean": pl.Boolean()}


class PartName(NamedTuple):
    """Names a part for ever, within its partition: the same part sent twice has the same name."""

    node: str
    boot: str
    sequence: int
    part: int


@dataclass(frozen=True, slots=True)
class Part:
    """One node's rows of one interval, or a share of them."""

    batch: Batch
    offset: int
    rows: pl.DataFrame
    """Columns of RawFlow, and node, boot, sequence, interval_start_ns, interval_end_ns, coverage of the batch."""

    @property
    def name(self) -> PartName:
        """Identity within the partition."""
        return PartName(self.batch.node, self.batch.boot, self.batch.sequence, self.batch.part)


class PartDecoder:
    """Turns messages of flows.raw into parts."""

    def __init__(self, schema: Schema) -> None:
        self._types = pl.Schema({field["name"]: _polars_type(field["type"]) for field in schema["fields"]})
        self._required = [field["name"] for field in schema["fields"] if isinstance(field["type"], str)]
        self._minimum_row_bytes = len(self._types)  # Avro spends at least one byte on each of these types

    def decode(self, value: bytes, offset: int) -> Part:
        """Raise DecodeError, saying where and why, when the message is not a batch of flows."""
        metadata, count = check_container(value, self._minimum_row_bytes)
        batch = parse_batch(metadata)
        rows = self._read_rows(value) if count else pl.DataFrame(schema=self._types)
        if rows.height != count:
            raise DecodeError(f"{rows.height} rows where the container promises {count}")
        for name in self._required:
            if rows[name].null_count():  # the writer's schema may allow what ours does not
                raise DecodeError(f"{name} is null in {rows[name].null_count()} rows")
        check_bounds(rows)
        return Part(batch, offset, rows.with_columns(_batch_columns(batch)))

    def _read_rows(self, value: bytes) -> pl.DataFrame:
        try:
            rows = pl.read_avro(BytesIO(value))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
            raise DecodeError(f"rows cannot be decoded: {str(error)[:200]}") from error
        if rows.schema == self._types:
            return rows
        missing = [name for name in self._types if name not in rows.columns]
        if missing:
            raise DecodeError(f"rows lack the columns {', '.join(missing[:5])}")
        try:
            return rows.select([pl.col(name).cast(kind) for name, kind in self._types.items()])
        except pl.exceptions.PolarsError as error:
            raise DecodeError(f"a column has another type than its schema says: {str(error)[:200]}") from error


def empty_rows() -> pl.DataFrame:
    """No rows, with the columns of a part's rows."""
    schema = {field["name"]: _polars_type(field["type"]) for field in read_schema("raw_flow")["fields"]}
    facts = {
        "node": pl.String(),
        "boot": pl.String(),
        "sequence": pl.Int64(),
        "interval_start_ns": pl.Int64(),
        "interval_end_ns": pl.Int64(),
        "coverage": pl.String(),
    }
    return pl.DataFrame(schema={**schema, **facts})


def _polars_type(avro_type: str | list[str]) -> pl.DataType:
    """Of a plain Avro type, or of a union with null."""
    plain = avro_type if isinstance(avro_type, str) else next(kind for kind in avro_type if kind != "null")
    return _POLARS_TYPES[plain]


def _batch_columns(batch: Batch) -> list[pl.Expr]:
    return [
        pl.lit(batch.node).alias("node"),
        pl.lit(batch.boot).alias("boot"),
        pl.lit(batch.sequence, pl.Int64).alias("sequence"),
        pl.lit(batch.interval_start_ns, pl.Int64).alias("interval_start_ns"),
        pl.lit(batch.interval_end_ns, pl.Int64).alias("interval_end_ns"),
        pl.lit(batch.coverage).alias("coverage"),
    ]
