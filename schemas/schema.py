"""The Avro schemas that ship with this package: constants, which happen to be files."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import fastavro

from schemas.errors import SchemaError

Schema = dict[str, Any]


@cache
def read_schema(name: str) -> Schema:
    """Parsed schema of one record; ``name`` is the file's stem, for example ``raw_flow``."""
    text = files("schemas").joinpath("avro", f"{name}.avsc").read_text(encoding="utf-8")
    parsed = fastavro.parse_schema(json.loads(text))
    if not isinstance(parsed, dict):
        raise SchemaError(f"{name}: not a record")
    return parsed
