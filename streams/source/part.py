"""A part: one message of a raw topic, decoded to columns, with what it says of itself and where it stood in the log."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from schemas.batch import Batch, parse_batch
from schemas.container import Frame, check_container, join_containers
from schemas.errors import DecodeError
from schemas.schema import Schema
from streams.source.bound import BOUNDS, check_bounds, check_time

_POLARS_TYPES = {"long": pl.Int64(), "int": pl.Int32(), "string": pl.String(), "boolean": pl.Boolean()}
_ADDED: Final = {
    "io.conntrail.RawFlow": {"application_protocol": "", "destination_names": [], "is_destination_unnamed": False},
}  # fmt: skip
"""By the name of the schema: columns that agents of the release before do not send, and what stands for them."""

_BATCH_TYPES = {
    "node": pl.String(),
    "boot": pl.String(),
    "sequence": pl.Int64(),
    "interval_start_ns": pl.Int64(),
    "interval_end_ns": pl.Int64(),
    "coverage": pl.String(),
}
"""What a batch says of all its rows."""


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
    """Columns of the schema, and node, boot, sequence, interval_start_ns, interval_end_ns, coverage of the batch."""

    @property
    def name(self) -> PartName:
        """Identity within the partition."""
        return PartName(self.batch.node, self.batch.boot, self.batch.sequence, self.batch.part)


class PartDecoder:
    """Turns messages of a raw topic into parts."""

    def __init__(self, schema: Schema) -> None:
        """``schema``: of the topic's rows."""
        self._types = pl.Schema({field["name"]: _polars_type(field["type"]) for field in schema["fields"]})
        self._required = [field["name"] for field in schema["fields"] if not isinstance(field["type"], list)]
        self._bounds = BOUNDS[schema["name"]]
        self._added = _ADDED.get(schema["name"], {})
        self._empty = empty_rows(schema)
        # Avro spends at least one byte on each of these types.
        self._minimum_row_bytes = len(self._types) - len(self._added)

    def decode(self, value: bytes, offset: int) -> Part:
        """Raise DecodeError, saying where and why, when the message is not a batch of such rows."""
        [part] = self.decode_all([(offset, value)])
        if isinstance(part, DecodeError):
            raise part
        return part

    def decode_all(self, messages: Iterable[tuple[int, bytes]], now_ns: int | None = None) -> list[Part | DecodeError]:
        """A part for each (offset, message), or the reason why there is none, in order. ``now_ns``: Unix time.

        Messages whose rows have one schema are read as one, since most are small and each reading costs the same.
        """
        framed = [self._framed(offset, value, now_ns) for offset, value in messages]
        groups: dict[str | None, list[_Framed]] = {}
        for item in framed:
            if isinstance(item, _Framed):
                groups.setdefault(item.frame.metadata.get("avro.schema"), []).append(item)
        parts = {id(item): part for group in groups.values() for item, part in self._parts(group)}
        return [item if isinstance(item, DecodeError) else parts[id(item)] for item in framed]

    def batches(self, messages: Iterable[tuple[int, bytes]], now_ns: int) -> list[Batch]:
        """What the messages say of themselves, without their rows; those that are no batches are left out."""
        framed = [self._framed(offset, value, now_ns) for offset, value in messages]
        return [item.batch for item in framed if isinstance(item, _Framed)]

    def _framed(self, offset: int, value: bytes, now_ns: int | None) -> "_Framed | DecodeError":
        try:
            frame = check_container(value, self._minimum_row_bytes)
            batch = parse_batch(frame.metadata)
            if now_ns is not None:
                check_time(batch, now_ns)
        except DecodeError as error:
            return error
        return _Framed(offset, frame, batch)

    def _parts(self, group: list["_Framed"]) -> Iterator[tuple["_Framed", Part | DecodeError]]:
        """When one message is bad, each is read alone: the others are not refused with it."""
        try:
            rows = self._read_rows(group)
        except DecodeError as error:
            if len(group) == 1:
                yield group[0], error
            else:
                for item in group:
                    yield from self._parts([item])
            return
        start = 0
        for item in group:
            yield item, Part(item.batch, item.offset, rows.slice(start, item.frame.rows))
            start += item.frame.rows

    def _read_rows(self, group: list["_Framed"]) -> pl.DataFrame:
        """Rows of messages of one schema, with what their batches say of them. Raises DecodeError."""
        counts = [item.frame.rows for item in group]
        rows = self._read_columns(join_containers([item.frame for item in group])) if sum(counts) else None
        if rows is None:
            return self._empty
        if rows.height != sum(counts):
            raise DecodeError(f"{rows.height} rows where the container promises {sum(counts)}")
        for name in self._required:
            if nulls := rows.get_column(name).null_count():  # the writer's schema may allow what ours does not
                raise DecodeError(f"{name} is null in {nulls} rows")
        check_bounds(rows, self._bounds)
        owners = pl.Series(np.repeat(np.arange(len(group)), counts))
        return rows.hstack(_batch_columns([item.batch for item in group]).select(pl.all().gather(owners)))

    def _read_columns(self, container: bytes) -> pl.DataFrame:
        try:
            rows = pl.read_avro(BytesIO(container))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
            raise DecodeError(f"rows cannot be decoded: {str(error)[:200]}") from error
        if rows.columns == self._types.names() and rows.dtypes == self._types.dtypes():
            return rows
        rows = rows.with_columns(
            pl.lit(value, dtype=self._types[name]).alias(name)
            for name, value in self._added.items()
            if name not in rows.columns
        )
        missing = [name for name in self._types if name not in rows.columns]
        if missing:
            raise DecodeError(f"rows lack the columns {', '.join(missing[:5])}")
        try:
            return rows.select([pl.col(name).cast(kind) for name, kind in self._types.items()])
        except pl.exceptions.PolarsError as error:
            raise DecodeError(f"a column has another type than its schema says: {str(error)[:200]}") from error


@dataclass(frozen=True, slots=True)
class _Framed:
    """A message that is a batch, as far as its frame tells."""

    offset: int
    frame: Frame
    batch: Batch


def empty_rows(schema: Schema) -> pl.DataFrame:
    """No rows, with the columns of a part's rows."""
    types = {field["name"]: _polars_type(field["type"]) for field in schema["fields"]}
    return pl.DataFrame(schema={**types, **_BATCH_TYPES})


def _polars_type(avro_type: Any) -> pl.DataType:
    """Of a plain Avro type, of an array of them, or of a union with null."""
    if isinstance(avro_type, list):
        return _polars_type(next(kind for kind in avro_type if kind != "null"))
    if isinstance(avro_type, dict):
        return pl.List(_polars_type(avro_type["items"]))
    return _POLARS_TYPES[avro_type]


def _batch_columns(batches: list[Batch]) -> pl.DataFrame:
    """A row for each batch."""
    return pl.DataFrame({name: [getattr(batch, name) for batch in batches] for name in _BATCH_TYPES}, _BATCH_TYPES)
