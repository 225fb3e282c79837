"""Columns of a Lens layer: each is one aggregation."""

from collections.abc import Mapping
from typing import Any, Final

from conntrail.setup.kibana.model import Bucket, Measure
from conntrail.setup.kibana.saved_object import kuery

Column = dict[str, Any]
_DATA_TYPES: Final = {"long": "number", "float": "number", "date": "date", "ip": "ip", "boolean": "boolean"}
"""Elasticsearch's types as Lens calls them; all others are texts to it."""
_PERCENT: Final = {"id": "percent", "params": {"decimals": 1}}


def time_column() -> Column:
    """As wide as the span that is looked at asks for."""
    return {
        "dataType": "date",
        "isBucketed": True,
        "label": "@timestamp",
        "operationType": "date_histogram",
        "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
        "scale": "interval",
        "sourceField": "@timestamp",
    }


def terms_column(bucket: Bucket, order: str, types: Mapping[str, str]) -> Column:
    """The values with most of the measure whose column is ``order``; by name where that is empty."""
    by = {"type": "column", "columnId": order} if order else {"type": "alphabetical", "fallback": True}
    return {
        "customLabel": True,
        "dataType": _DATA_TYPES.get(types[bucket.field], "string"),
        "isBucketed": True,
        "label": bucket.name or bucket.field,
        "operationType": "terms",
        "params": {
            "size": bucket.size,
            "orderBy": by,
            "orderDirection": "desc" if order else "asc",
            "otherBucket": False,
            "missingBucket": False,
            "parentFormat": {"id": "terms"},
            "include": [],
            "exclude": [],
            "includeIsRegex": False,
            "excludeIsRegex": False,
        },
        "scale": "ordinal",
        "sourceField": bucket.field,
    }


def measure_columns(identity: str, measure: Measure, types: Mapping[str, str]) -> dict[str, Column]:
    """One column, or those of a formula, whose own column is the last."""
    if measure.share_of is None:
        return {identity: _plain(measure, types)}
    parts = [f"{identity}X0", f"{identity}X1"]
    formula = f"{_words(measure)} / {_words(measure.share_of)}"
    quotient = {
        "type": "function", "name": "divide", "args": parts, "location": {"min": 0, "max": len(formula)},
        "text": formula,
    }  # fmt: skip
    hidden = {"customLabel": True, "label": f"Part of {formula}"}
    return {
        parts[0]: {**_plain(measure, types), **hidden},
        parts[1]: {**_plain(measure.share_of, types), **hidden},
        f"{identity}X2": {
            **hidden, "dataType": "number", "isBucketed": False, "operationType": "math", "references": parts,
            "params": {"tinymathAst": quotient}, "scale": "ratio",
        },
        identity: {
            "customLabel": True, "dataType": "number", "isBucketed": False, "label": measure.name,
            "operationType": "formula", "references": [f"{identity}X2"], "scale": "ratio",
            "params": {"formula": formula, "isFormulaBroken": False, "format": _PERCENT},
        },
    }  # fmt: skip


def _plain(measure: Measure, types: Mapping[str, str]) -> Column:
    operation, field = _operation(measure)
    is_date = operation in ("last_value", "max") and types[field] == "date"
    column: Column = {
        "customLabel": True,
        "dataType": "date" if is_date else "number",
        "isBucketed": False,
        "label": measure.name,
        "operationType": operation,
        "params": _parameters(operation, measure),
        "scale": "interval" if is_date else "ratio",
        "sourceField": field,
    }
    if measure.where:
        column["filter"] = kuery(measure.where)
    return column


def _operation(measure: Measure) -> tuple[str, str]:
    """Lens' name of it, and the field."""
    found = {
        "sum": measure.sum, "max": measure.maximum, "last_value": measure.latest,
        "unique_count": measure.unique, "percentile": measure.percentile,
    }  # fmt: skip
    given = [(name, field) for name, field in found.items() if field]
    return given[0] if given else ("count", "___records___")


def _parameters(operation: str, measure: Measure) -> dict[str, Any]:
    if operation == "percentile":
        return {"percentile": measure.rank}
    if operation == "last_value":
        return {"sortField": "@timestamp", "showArrayValues": False}
    return {"emptyAsNull": operation in ("count", "sum", "unique_count")}


def _words(measure: Measure) -> str:
    """The measure in Lens' language of formulas."""
    operation, field = _operation(measure)
    arguments = [] if operation == "count" else [field]
    if measure.where:
        quoted = measure.where.replace("'", "\\'")
        arguments.append(f"kql='{quoted}'")
    return f"{operation}({', '.join(arguments)})"
