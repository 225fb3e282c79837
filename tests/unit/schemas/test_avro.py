import json
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.utils import generate_one

import schemas
from schemas.schema import read_schema
from schemas.topic import TOPICS

FOLDER = Path(schemas.__file__).parent
NAMES = sorted(path.stem for path in (FOLDER / "avro").glob("*.avsc"))


def undocumented(schema: Any, path: str = "") -> list[str]:
    """Records and fields without a doc."""
    if isinstance(schema, list):
        return [fault for branch in schema for fault in undocumented(branch, path)]
    if not isinstance(schema, dict):
        return []
    faults = [] if schema.get("doc") or schema["type"] != "record" else [f"{path}/{schema['name']}"]
    for field in schema.get("fields", ()):
        place = f"{path}/{field['name']}"
        faults += [] if field.get("doc") else [place]
        faults += undocumented(field["type"], place)
    return faults + undocumented(schema.get("items"), path) + undocumented(schema.get("values"), path)


def can_read(writer: dict[str, Any], reader: dict[str, Any]) -> bool:
    """Whether a reader with one schema understands what was written with another."""
    buffer = BytesIO()
    parsed = fastavro.parse_schema(writer)
    fastavro.schemaless_writer(buffer, parsed, generate_one(parsed))
    try:
        fastavro.schemaless_reader(BytesIO(buffer.getvalue()), parsed, fastavro.parse_schema(reader))
    except (fastavro.read.SchemaResolutionError, ValueError, KeyError):
        return False
    return True


def load(folder: str, name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((FOLDER / folder / f"{name}.avsc").read_text(encoding="utf-8"))
    return schema


@pytest.mark.parametrize("name", NAMES)
def test_every_record_and_field_is_documented(name: str) -> None:
    assert undocumented(load("avro", name)) == []


def test_a_field_without_a_doc_is_found() -> None:
    assert undocumented({"type": "record", "name": "A", "doc": "x", "fields": [{"name": "b", "type": "int"}]}) == ["/b"]


@pytest.mark.parametrize("name", NAMES)
def test_the_last_released_schema_and_this_one_read_each_other(name: str) -> None:
    released, current = load("released", name), load("avro", name)
    assert can_read(released, current)
    assert can_read(current, released)


def test_a_new_field_without_a_default_is_found_incompatible() -> None:
    old = {"type": "record", "name": "A", "fields": []}
    new = {"type": "record", "name": "A", "fields": [{"name": "b", "type": "int"}]}
    assert can_read(new, old)
    assert not can_read(old, new)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_has_its_schema(topic: Any) -> None:
    assert read_schema(topic.schema)["type"] == "record"


def test_topic_names_are_distinct_in_kafka_metrics_too() -> None:
    names = [topic.name for topic in TOPICS]
    assert len({name.replace(".", "_") for name in names}) == len(names)
    assert not any("_" in name for name in names)
