"""Which frames a codec writes and which it reads, whatever version a record was written with."""

import json
from contextlib import suppress
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DecodeError, UnknownSchemaError
from schemas.schema import Schema, read_released_schema, read_schema, schema_text
from schemas.single_object import SingleObjectCodec, codec_of
from schemas.topic import TOPICS


def _schema(name: str, *fields: dict[str, Any]) -> Schema:
    parsed = fastavro.parse_schema({"type": "record", "name": f"test.{name}", "fields": list(fields)})
    assert isinstance(parsed, dict)
    return parsed


A: dict[str, Any] = {"name": "a", "type": "long"}
B: dict[str, Any] = {"name": "b", "type": "string", "default": "none"}
OLD, NEW = _schema("Thing", A), _schema("Thing", A, B)
NEWER = _schema("Thing", A, {"name": "c", "type": ["null", "double"], "default": None}, B)
OTHER = _schema("Other", A)
ids = st.integers(0, 2**31 - 1)
things = st.fixed_dictionaries({"a": st.integers(-(2**63), 2**63 - 1), "b": st.text(max_size=30)})


@given(things, ids)
def test_both_frames_are_read_whatever_frame_is_written(record: dict[str, Any], registry_id: int) -> None:
    plain, framed = SingleObjectCodec(NEW), SingleObjectCodec(NEW, registry_id)
    for reader in (plain, framed):
        assert reader.decode(plain.encode(record)) == record
    assert framed.decode(framed.encode(record)) == record
    with pytest.raises(UnknownSchemaError) as caught:
        plain.decode(framed.encode(record))
    assert caught.value.registry_id == registry_id
    plain.learn(registry_id, NEW)
    assert plain.decode(framed.encode(record)) == record


@given(things, ids)
def test_frames_differ_and_bodies_do_not(record: dict[str, Any], registry_id: int) -> None:
    plain, framed = SingleObjectCodec(NEW).encode(record), SingleObjectCodec(NEW, registry_id).encode(record)
    assert framed[:1] == b"\x00"
    assert int.from_bytes(framed[1:5], "big") == registry_id
    assert framed[5:] == plain[10:]


@given(things, ids)
def test_a_registrys_other_versions_are_read_as_ours(record: dict[str, Any], registry_id: int) -> None:
    codec = SingleObjectCodec(NEW)
    codec.learn(registry_id, OLD)
    codec.learn(registry_id ^ 1, NEWER)
    assert codec.decode(SingleObjectCodec(OLD, registry_id).encode(record)) == {"a": record["a"], "b": "none"}
    assert codec.decode(SingleObjectCodec(NEWER, registry_id ^ 1).encode({**record, "c": 1.5})) == record


def test_an_earlier_versions_fingerprint_is_read_and_a_strangers_is_not() -> None:
    codec = SingleObjectCodec(NEW, earlier=(OLD,))
    assert codec.decode(SingleObjectCodec(OLD).encode({"a": 7})) == {"a": 7, "b": "none"}
    with pytest.raises(DecodeError, match="another schema"):
        codec.decode(SingleObjectCodec(NEWER).encode({"a": 7, "b": "x", "c": None}))


def test_the_schema_of_other_records_is_refused_by_name() -> None:
    codec = SingleObjectCodec(NEW)
    with pytest.raises(DecodeError, match=r"id 3 is test\.Other, not test\.Thing"):
        codec.learn(3, OTHER)
    with pytest.raises(UnknownSchemaError):
        codec.decode(SingleObjectCodec(OTHER, 3).encode({"a": 1}))


def test_only_so_many_ids_are_remembered() -> None:
    codec = SingleObjectCodec(NEW)
    for number in range(1000):
        codec.learn(number, OLD)
    codec.decode(SingleObjectCodec(OLD, 999).encode({"a": 1}))
    with pytest.raises(UnknownSchemaError):
        codec.decode(SingleObjectCodec(OLD, 0).encode({"a": 1}))


@given(st.binary(max_size=60), st.sampled_from([b"", b"\x00", b"\x00\x00\x00\x00\x05", b"\xc3\x01"]))
def test_garbage_behind_any_frame_is_a_decode_error_or_a_record(body: bytes, frame: bytes) -> None:
    codec = SingleObjectCodec(NEW, 5, (OLD,))
    with suppress(DecodeError):
        assert codec.decode(frame + body).keys() == {"a", "b"}


@pytest.mark.parametrize("name", sorted({topic.schema for topic in TOPICS}))
def test_what_the_last_release_wrote_is_read_by_its_fingerprint(name: str) -> None:
    released = read_released_schema(name)
    record = fastavro.utils.generate_one(released)
    found = codec_of(name).decode(SingleObjectCodec(released).encode(record))
    assert found.keys() == {field["name"] for field in read_schema(name)["fields"]}


@pytest.mark.parametrize("name", sorted({topic.schema for topic in TOPICS}))
def test_the_text_for_a_registry_keeps_documentation_and_defaults(name: str) -> None:
    document = json.loads(schema_text(name))
    assert "\n" not in schema_text(name)
    assert document["doc"]
    assert fastavro.schema.to_parsing_canonical_form(document) == fastavro.schema.to_parsing_canonical_form(
        read_schema(name)
    )
