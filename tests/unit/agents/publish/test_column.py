"""Rows written by columns are what a general Avro writer would have written."""

import tracemalloc
from io import BytesIO
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.publish.column import BooleanColumn, Column, ColumnEncoder, ListColumn, LongColumn, TextColumn, encode_long
from schemas.errors import SchemaError

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "number", "type": "long"},
        {"name": "maybe_number", "type": ["null", "long"]},
        {"name": "is_so", "type": "boolean"},
        {"name": "text", "type": "string"},
        {"name": "maybe_text", "type": ["null", "string"]},
        {"name": "small", "type": "int"},
        {"name": "numbers", "type": {"type": "array", "items": "long"}},
        {"name": "texts", "type": {"type": "array", "items": "string"}},
    ],
}
_LONG = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-200, 200))
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": _LONG,
            "maybe_number": st.none() | _LONG,
            "is_so": st.booleans(),
            "text": st.text(max_size=100),
            "maybe_text": st.none() | st.text(max_size=5),
            "small": st.integers(-(2**31), 2**31 - 1),
            "numbers": st.lists(_LONG, max_size=100),
            "texts": st.lists(st.text(max_size=5), max_size=5),
        }
    ),
    max_size=30,
)


def columns_of(rows: list[dict[str, Any]]) -> dict[str, Column]:
    def texts(name: str) -> tuple[list[str], np.ndarray]:
        return indexed([row[name] or "" for row in rows])

    def indexed(values: list[str]) -> tuple[list[str], np.ndarray]:
        table = sorted(set(values)) or [""]
        return table, np.array([table.index(value) for value in values], np.int64)

    def items(name: str) -> tuple[list[Any], np.ndarray]:
        return [item for row in rows for item in row[name]], np.array([len(row[name]) for row in rows], np.int64)

    def is_known(name: str) -> np.ndarray:
        return np.array([row[name] is not None for row in rows], np.bool_)

    numbers, number_counts = items("numbers")
    words, word_counts = items("texts")
    return {
        "numbers": ListColumn(LongColumn(np.array(numbers, np.int64)), number_counts),
        "texts": ListColumn(TextColumn(*indexed(words)), word_counts),
        "number": LongColumn(np.array([row["number"] for row in rows], np.int64)),
        "maybe_number": LongColumn(
            np.array([row["maybe_number"] or 0 for row in rows], np.int64), is_known("maybe_number")
        ),
        "is_so": BooleanColumn(np.array([row["is_so"] for row in rows], np.bool_)),
        "text": TextColumn(*texts("text")),
        "maybe_text": TextColumn(*texts("maybe_text"), is_known("maybe_text")),
        "small": LongColumn(np.array([row["small"] for row in rows], np.int32)),
    }


@given(_ROWS)
def test_the_bytes_equal_those_of_a_general_writer(rows: list[dict[str, Any]]) -> None:
    expected = []
    for row in rows:
        buffer = BytesIO()
        fastavro.schemaless_writer(buffer, SCHEMA, row)
        expected.append(buffer.getvalue())
    assert ColumnEncoder(SCHEMA).encode(columns_of(rows)) == expected


def test_much_text_is_written_in_little_more_memory_than_its_rows_take() -> None:
    row = {"number": 1, "maybe_number": 1, "is_so": True, "text": "", "small": 1, "numbers": []}
    rows = [
        row | {"text": f"{number}" * 500, "maybe_text": "x" * 700 if number % 2 else None, "texts": ["y" * 900, "z"]}
        for number in range(3_000)
    ]
    columns = columns_of(rows)
    tracemalloc.start()
    try:
        encoded = ColumnEncoder(SCHEMA).encode(columns)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [fastavro.schemaless_reader(BytesIO(one), SCHEMA, None) for one in encoded] == rows
    assert peak_bytes < 5 * sum(map(len, encoded))


@given(st.integers(0, 2**62))
def test_lengths_are_written_as_avro_writes_longs(number: int) -> None:
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, "long", number)
    assert encode_long(number) == buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("number", TextColumn(["a"], np.zeros(1, np.int64))),
        ("number", LongColumn(np.zeros(1, np.int64), np.ones(1, np.bool_))),
        ("maybe_number", LongColumn(np.zeros(1, np.int64))),
        ("is_so", LongColumn(np.zeros(1, np.int64))),
        ("maybe_text", TextColumn(["a"], np.zeros(1, np.int64))),
        ("number", ListColumn(LongColumn(np.zeros(1, np.int64)), np.ones(1, np.int64))),
        ("numbers", LongColumn(np.zeros(1, np.int64))),
        ("numbers", ListColumn(TextColumn(["a"], np.zeros(1, np.int64)), np.ones(1, np.int64))),
        ("texts", ListColumn(LongColumn(np.zeros(1, np.int64)), np.ones(1, np.int64))),
    ],
)
def test_a_column_that_does_not_fit_is_named(name: str, column: Column) -> None:
    [row] = [{"number": 1, "maybe_number": 1, "is_so": True, "text": "", "maybe_text": "", "small": 1}]
    row |= {"numbers": [], "texts": []}
    with pytest.raises(SchemaError, match=name):
        ColumnEncoder(SCHEMA).encode(columns_of([row]) | {name: column})


def test_a_missing_column_is_named() -> None:
    columns = columns_of([])
    del columns["small"]
    with pytest.raises(SchemaError, match="small"):
        ColumnEncoder(SCHEMA).encode(columns)


@pytest.mark.parametrize(
    "avro_type",
    [
        "bytes",
        "double",
        ["long", "null"],
        ["null", "boolean"],
        ["null", "int", "long"],
        {"type": "array", "items": "boolean"},
    ],
)
def test_a_type_that_columns_cannot_hold_is_refused_at_once(avro_type: Any) -> None:
    with pytest.raises(SchemaError, match="strange"):
        ColumnEncoder({"fields": [{"name": "strange", "type": avro_type}]})
