"""Columns without rows: an interval in which there was nothing to see, or nobody to see it, is published too."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.publish.column import BooleanColumn, Column, ListColumn, LongColumn, TextColumn


def empty_columns(schema: Mapping[str, Any]) -> dict[str, Column]:
    """Of a schema that has no optional fields."""
    return {str(field["name"]): _empty(field["type"]) for field in schema["fields"]}


def _empty(avro_type: Any) -> Column:
    if isinstance(avro_type, Mapping):
        items = _empty(avro_type["items"])
        assert isinstance(items, LongColumn | TextColumn)
        return ListColumn(items, np.zeros(0, np.intp))
    if avro_type == "string":
        return TextColumn((), np.zeros(0, np.intp))
    return BooleanColumn(np.zeros(0, np.bool_)) if avro_type == "boolean" else LongColumn(np.zeros(0, np.int64))
