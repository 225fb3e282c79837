"""The Avro schemas that ship with this package: constants, which happen to be files."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import fastavro

from schemas.errors import SchemaError

Schema = dict[str, Any]
_Folder = Literal["avro", "released"]
_BLANKS: dict[str, Any] = {
    "null": None,
    "boolean": False,
    "int": 0,
    "long": 0,
    "double": 0.0,
    "string": "",
    "bytes": b"",
    "array": [],
    "map": {},
}


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


def blank_record(schema: Schema) -> dict[str, Any]:
    """A record that says nothing: null where that may be, else zero, empty or False."""
    return {field["name"]: _blank(field["type"]) for field in schema["fields"]}


def _blank(kind: Any) -> Any:
    if isinstance(kind, list):
        return None if "null" in kind else _blank(kind[0])
    if isinstance(kind, str):
        return _BLANKS[kind]
    return blank_record(kind) if kind["type"] == "record" else _BLANKS[kind["type"]]


def _read(folder: _Folder, name: str) -> Any:
    return json.loads(files("schemas").joinpath(folder, f"{name}.avsc").read_text(encoding="utf-8"))


def _parsed(folder: _Folder, name: str) -> Schema:
    parsed = fastavro.parse_schema(_read(folder, name))
    if not isinstance(parsed, dict):
        raise SchemaError(f"{name}: not a record")
    return parsed
