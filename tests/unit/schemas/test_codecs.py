import json
from contextlib import suppress
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.batch import Batch, parse_batch
from schemas.container import ContainerEncoder, check_container, join_containers
from schemas.errors import DecodeError, SchemaError
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec

CODEC = SingleObjectCodec(read_schema("dead_letter"))
REGISTERED = SingleObjectCodec(read_schema("dead_letter"), registry_id=7)
SMALL = {"type": "record", "name": "Small", "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}]}
ENCODER = ContainerEncoder(fastavro.parse_schema(SMALL))  # type: ignore[arg-type]
SYNC = b"0123456789abcdef"

texts = st.text(max_size=50)
letters = st.fixed_dictionaries(
    {
        "cluster": texts,
        "stage": texts,
        "reason": texts,
        "topic": texts,
        "partition": st.integers(0, 2**31 - 1),
        "offset": st.integers(0, 2**63 - 1),
        "observed_at_ns": st.integers(0, 2**63 - 1),
        "key": st.none() | st.binary(max_size=50),
        "value": st.none() | st.binary(max_size=50),
        "size_bytes": st.integers(0, 2**63 - 1),
    }
)


@given(letters)
def test_a_single_object_comes_back_as_it_was(record: dict[str, Any]) -> None:
    assert CODEC.decode(CODEC.encode(record)) == record
    assert REGISTERED.decode(REGISTERED.encode(record)) == record


def test_a_single_object_begins_with_the_marker_and_the_fingerprint() -> None:
    data = CODEC.encode({})
    canonical = fastavro.schema.to_parsing_canonical_form(read_schema("dead_letter"))
    rabin = int.from_bytes(data[2:10], "little")
    assert data[:2] == b"\xc3\x01"
    assert rabin == _crc64_avro(canonical.encode())


def _crc64_avro(data: bytes) -> int:
    """Avro specification, "Schema fingerprints", written out again."""
    empty = 0xC15D213AA4D7A795
    fingerprint = empty
    for byte in data:
        value = (fingerprint ^ byte) & 0xFF
        for _ in range(8):
            value = (value >> 1) ^ (empty & -(value & 1))
        fingerprint = (fingerprint >> 8) ^ value
    return fingerprint


def test_a_registry_frame_is_a_zero_and_the_id() -> None:
    assert REGISTERED.encode({})[:5] == b"\x00\x00\x00\x00\x07"


@given(st.binary(max_size=200))
def test_garbage_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        CODEC.decode(data)


@given(st.binary(max_size=60))
def test_garbage_behind_a_right_frame_decodes_or_is_a_decode_error(body: bytes) -> None:
    with suppress(DecodeError):
        assert CODEC.encode(CODEC.decode(CODEC.encode({})[:10] + body))


def test_bytes_left_over_are_refused() -> None:
    with pytest.raises(DecodeError, match="left over"):
        CODEC.decode(CODEC.encode({}) + b"x")


def test_a_record_that_does_not_fit_is_named() -> None:
    with pytest.raises(SchemaError, match="DeadLetter"):
        CODEC.encode({"offset": "no number"})


rows = st.lists(st.fixed_dictionaries({"a": st.integers(-(2**63), 2**63 - 1), "b": texts}), max_size=20)


@given(rows, st.dictionaries(texts.filter(lambda key: not key.startswith("avro.")), texts, max_size=5))
def test_a_container_passes_its_check_with_its_metadata_and_count(
    given_rows: list[dict[str, Any]], metadata: dict[str, str]
) -> None:
    data = ENCODER.encode(given_rows, metadata, SYNC)
    frame = check_container(data, minimum_row_bytes=2)
    assert frame.rows == len(given_rows)
    assert metadata.items() <= frame.metadata.items()


@given(st.lists(rows, min_size=1, max_size=4))
def test_containers_are_joined_into_one_with_all_rows_in_order(lots: list[list[dict[str, Any]]]) -> None:
    containers = [ENCODER.encode(lot, {"lot": str(number)}, bytes([number]) * 16) for number, lot in enumerate(lots)]
    joined = join_containers([check_container(data, minimum_row_bytes=2) for data in containers])
    assert list(fastavro.reader(BytesIO(joined))) == [row for lot in lots for row in lot]
    frame = check_container(joined, minimum_row_bytes=2)
    assert (frame.rows, frame.metadata["lot"]) == (sum(map(len, lots)), "0")


@given(rows, st.data())
def test_a_damaged_container_passes_its_check_or_is_a_decode_error(
    given_rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    whole = bytearray(ENCODER.encode(given_rows, {}, SYNC))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        count = check_container(cut, minimum_row_bytes=2).rows
    except DecodeError:
        return
    assert count * 2 <= len(cut)


def test_a_count_that_the_bytes_do_not_pay_for_is_refused() -> None:
    data = ENCODER.encode([{"a": 1, "b": ""}], {}, SYNC)
    at = data.index(SYNC) + len(SYNC)
    assert data[at] == 2, "one row, zigzag"
    with pytest.raises(DecodeError, match="does not fit"):
        check_container(data[:at] + b"\xfe\x7f" + data[at + 1 :], minimum_row_bytes=2)


numbers = st.integers(0, 2**62)


@given(
    st.builds(
        Batch,
        cluster=texts,
        node=texts,
        boot=texts,
        sequence=numbers,
        partition=numbers,
        partitions=numbers,
        part=numbers,
        parts=numbers,
        interval_start_ns=st.just(10**18),
        interval_end_ns=st.integers(10**18 + 1, 10**18 + 3600 * 10**9),
        coverage=st.sampled_from(["complete", "lossy", "blind"]),
        lost=st.dictionaries(texts, numbers, max_size=3),
    )
)
def test_a_batch_comes_back_from_its_metadata(batch: Batch) -> None:
    assert parse_batch(batch.metadata()) == batch


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("sequence", "-1", "no number"),
        ("sequence", "9" * 40, "no number"),
        ("interval_end_ns", "0", "empty, reversed"),
        ("coverage", "perfect", "coverage"),
        ("lost", "[]", "no object of counts"),
        ("lost", "{", "no JSON"),
        ("lost", '{"restarts": -1}', "no object of counts"),
        ("lost", '{"restarts": true}', "no object of counts"),
        ("lost", '{"restarts": 1' + "0" * 400 + "}", "no object of counts"),
        ("lost", json.dumps({f"cause-{number}": 1 for number in range(65)}), "no object of counts"),
    ],
)
def test_an_absurd_batch_fact_is_named(name: str, value: str, complaint: str) -> None:
    good = Batch("c", "n", "b", 0, 0, 1, 0, 1, 10, 20, "complete", {}).metadata()
    with pytest.raises(DecodeError, match=complaint):
        parse_batch({**good, f"conntrail.{name}": value})


def test_a_missing_batch_fact_is_named() -> None:
    with pytest.raises(DecodeError, match=r"conntrail\.interval_start_ns"):
        parse_batch({})
