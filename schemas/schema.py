"""The Avro schemas that ship with this package: constants, which happen to be files."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import fastavro

from schemas.errors import SchemaError

Schema = dict[str, Any]
_Folder = Literal["avro", "released"]


@cache
def read_schema(name: str) -> Schema:
    """Parsed schema of one record; ``name`` is the file's stem, for example ``raw_flow``."""
    return _parsed("avro", name)


@cache
def read_released_schema(name: str) -> Schema:
    """The same as of the last release: topics hold records written with it."""
    return _parsed("released", name)


def schema_text(name: str) -> str:
    """The schema as a registry is told of it: with documentation and defaults, on one line."""
    return json.dumps(_read("avro", name), separators=(",", ":"))


def _read(folder: _Folder, name: str) -> Any:
    return json.loads(files("schemas").joinpath(folder, f"{name}.avsc").read_text(encoding="utf-8"))


def _parsed(folder: _Folder, name: str) -> Schema:
    parsed = fastavro.parse_schema(_read(folder, name))
    if not isinstance(parsed, dict):
        raise SchemaError(f"{name}: not a record")
    return parsed
