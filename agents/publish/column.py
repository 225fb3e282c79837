"""Encodes columns to Avro rows, all rows of a column at once.

Source: Avro 1.12 specification, "Binary encoding". A row costs about a tenth of what a general writer takes, and a
node agent's cost is mostly this. Takes records of long, int, boolean, string, unions of null and one of these, and
arrays of long, int or string.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.errors import SchemaError

_BITS: Final = 7
_MASK: Final = np.uint64(0x7F)
_MORE: Final = 0x80
_LONGEST: Final = 10
_VALUE_BRANCH: Final = 2  # zigzag of 1: null is branch 0 of our unions
_SLICE_BYTES: Final = 256 << 10
"""Of texts, written at once: each byte takes 25 more meanwhile."""
_KINDS: Final = {"long": "long", "int": "long", "boolean": "boolean", "string": "text"}
_LISTS: Final = {"long": "long list", "text": "text list"}

Mask = npt.NDArray[np.bool_]
Offsets = npt.NDArray[np.intp]
_Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class LongColumn:
    """Integers; the caller keeps ints within 32 bits. ``is_known`` false is null, for optional fields alone."""

    values: npt.NDArray[Any]
    is_known: Mask | None = None


@dataclass(frozen=True, slots=True)
class BooleanColumn:
    """Truth values."""

    values: Mask


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Texts by index into a table, since few texts serve many rows."""

    texts: Sequence[str]
    indices: npt.NDArray[Any]
    is_known: Mask | None = None


@dataclass(frozen=True, slots=True)
class ListColumn:
    """Lists of integers or texts: the items of all rows, one row after the other, and how many each row has."""

    items: LongColumn | TextColumn
    counts: npt.NDArray[Any]


Column = LongColumn | BooleanColumn | TextColumn | ListColumn


class ColumnEncoder:
    """Writes the rows of one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raise SchemaError when the schema has a type that is not taken here."""
        self._fields = [(str(field["name"]), *_kind(field)) for field in schema["fields"]]

    def encode(self, columns: Mapping[str, Column]) -> list[bytes]:
        """One bytes object a row. Raises SchemaError, naming the field, when a column does not fit its field."""
        parts = [_part(columns.get(name), name, kind, is_optional) for name, kind, is_optional in self._fields]
        lengths = np.zeros(parts[0].lengths.shape, np.intp)
        starts = []
        for part in parts:
            starts.append(lengths.copy())
            lengths += part.lengths
        ends = np.cumsum(lengths)
        row_starts = ends - lengths
        out = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
        for part, start in zip(parts, starts, strict=True):
            part.write(out, row_starts + start)
        data = out.tobytes()
        return [data[start:end] for start, end in zip(row_starts.tolist(), ends.tolist(), strict=True)]


class _LongPart:
    def __init__(self, values: npt.NDArray[Any], is_known: Mask | None) -> None:
        signed = values.astype(np.int64)
        self._numbers = (signed << 1 ^ signed >> 63).view(np.uint64)
        self._is_known = is_known
        if is_known is not None:
            self._numbers[~is_known] = 0
        self._digits = _digits(self._numbers)
        self.lengths = self._digits if is_known is None else np.where(is_known, self._digits + 1, 1)

    def write(self, out: _Bytes, at: Offsets) -> None:
        numbers, digits = self._numbers, self._digits
        if self._is_known is not None:
            at = at[self._is_known]
            if not len(at):
                return
            out[at] = _VALUE_BRANCH
            at, numbers, digits = at + 1, numbers[self._is_known], digits[self._is_known]
        while len(at):
            is_last = digits == 1
            out[at] = (numbers & _MASK) | np.where(is_last, 0, _MORE).astype(np.uint64)
            if is_last.all():
                return
            goes_on = ~is_last
            at, numbers, digits = at[goes_on] + 1, numbers[goes_on] >> np.uint64(_BITS), digits[goes_on] - 1


class _BooleanPart:
    def __init__(self, values: Mask) -> None:
        self._values = values
        self.lengths = np.ones(len(values), np.intp)

    def write(self, out: _Bytes, at: Offsets) -> None:
        out[at] = self._values


class _TextPart:
    def __init__(self, texts: Sequence[str], indices: npt.NDArray[Any], is_known: Mask | None) -> None:
        encoded = [text.encode() for text in texts]
        encoded = [encode_long(len(text)) + text for text in encoded]
        self._table = np.frombuffer(b"".join(encoded), np.uint8)
        self._table_ends = np.cumsum([len(text) for text in encoded], dtype=np.intp)
        table_lengths = np.array([len(text) for text in encoded], np.intp)
        self._indices = indices.astype(np.intp)
        self._is_known = is_known
        if is_known is None:
            self.lengths = self._own = table_lengths[self._indices]
        else:
            self._indices = self._indices[is_known]
            self._own = table_lengths[self._indices]
            self.lengths = np.ones(len(is_known), np.intp)
            self.lengths[is_known] += self._own

    def write(self, out: _Bytes, at: Offsets) -> None:
        if self._is_known is not None:
            at = at[self._is_known]
            out[at] = _VALUE_BRANCH
            at = at + 1
        ends = np.cumsum(self._own)
        first, written = 0, 0
        while first < len(ends):
            last = max(first + 1, int(np.searchsorted(ends, written + _SLICE_BYTES, "right")))
            self._write_slice(out, at[first:last], slice(first, last))
            first, written = last, ends[last - 1]

    def _write_slice(self, out: _Bytes, at: Offsets, rows: slice) -> None:
        own = self._own[rows]
        ends = np.cumsum(own)
        begins = ends - own
        steps = np.arange(ends[-1])
        source = np.repeat(self._table_ends[self._indices[rows]] - own - begins, own) + steps
        out[np.repeat(at - begins, own) + steps] = self._table[source]


class _ListPart:
    """One block of items, if there are any, and the empty block that ends an array: a zero byte, as ``out`` is born."""

    def __init__(self, items: _LongPart | _TextPart, counts: npt.NDArray[Any]) -> None:
        self._items = items
        self._counts = counts.astype(np.intp)
        self._head = _LongPart(self._counts, None)
        ends = np.concatenate([[0], np.cumsum(items.lengths, dtype=np.intp)])
        self._item_starts = ends[:-1]
        last = np.cumsum(self._counts)
        self._row_starts = ends[last - self._counts]
        own = ends[last] - self._row_starts
        self.lengths = np.where(self._counts > 0, self._head.lengths + own + 1, 1)

    def write(self, out: _Bytes, at: Offsets) -> None:
        self._head.write(out, at)
        base = at + self._head.lengths - self._row_starts
        self._items.write(out, np.repeat(base, self._counts) + self._item_starts)


_Part = _LongPart | _BooleanPart | _TextPart | _ListPart


def _part(column: Column | None, name: str, kind: str, is_optional: bool) -> _Part:
    if isinstance(column, ListColumn):
        part = _part(column.items, name, kind.removesuffix(" list"), False)
        if kind.endswith(" list") and isinstance(part, _LongPart | _TextPart):
            return _ListPart(part, column.counts)
    if isinstance(column, LongColumn) and kind == "long" and (column.is_known is not None) == is_optional:
        return _LongPart(column.values, column.is_known)
    if isinstance(column, BooleanColumn) and kind == "boolean" and not is_optional:
        return _BooleanPart(column.values)
    if isinstance(column, TextColumn) and kind == "text" and (column.is_known is not None) == is_optional:
        return _TextPart(column.texts, column.indices, column.is_known)
    raise SchemaError(f"{name}: no column of the kind {kind}{' or null' if is_optional else ''}")


def _kind(field: Mapping[str, Any]) -> tuple[str, bool]:
    avro_type = field["type"]
    if isinstance(avro_type, Mapping) and avro_type.get("type") == "array":
        kind = _LISTS.get(_KINDS.get(str(avro_type["items"]), ""))
        if kind is not None:
            return kind, False
    is_optional = isinstance(avro_type, list) and len(avro_type) == 2 and avro_type[0] == "null"  # noqa: PLR2004 - a union of two
    kind = _KINDS.get(str(avro_type[1] if is_optional else avro_type))
    if kind is None or (is_optional and kind == "boolean"):
        raise SchemaError(f"{field['name']}: the type {avro_type} cannot be encoded by columns")
    return kind, is_optional


def _digits(numbers: npt.NDArray[np.uint64]) -> Offsets:
    """Bytes of each number as a variable-length integer."""
    digits = np.ones(len(numbers), np.intp)
    largest = int(numbers.max(initial=0))
    for digit in range(1, _LONGEST):
        if largest >> (_BITS * digit) == 0:
            break
        digits += numbers >= np.uint64(1 << (_BITS * digit))
    return digits


def encode_long(number: int) -> bytes:
    """A long that is not negative, such as a length or a count."""
    rest = 2 * number
    encoded = bytearray()
    while rest >= _MORE:
        encoded.append(rest & 0x7F | _MORE)
        rest >>= _BITS
    encoded.append(rest)
    return bytes(encoded)
