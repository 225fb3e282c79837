import dataclasses
from io import BytesIO

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.publish.column import LongColumn, TextColumn
from agents.publish.interval import MESSAGE_BYTES, Facts, Interval, IntervalEncoder
from schemas.batch import parse_batch
from schemas.container import check_container
from schemas.errors import DecodeError

SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [{"name": "flow_key", "type": "long"}, {"name": "text", "type": "string"}],
}
ENCODER = IntervalEncoder(SCHEMA, "flow_key")
FACTS = Facts("cluster", "node", "boot", 3, 10, 20, "lossy", {"overruns": 2})
KEYS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=60)


def encode(keys: list[int], partitions: int, text: str = "", *, is_sure: bool = True) -> Interval:
    columns = {"flow_key": LongColumn(np.array(keys, np.int64)), "text": TextColumn([text], np.zeros(len(keys)))}
    return ENCODER.encode(FACTS, columns, partitions, is_sure=is_sure)


def decode(interval: Interval) -> list[tuple[int, int]]:
    """Partition and key of each row."""
    found = []
    for message in interval.messages:
        reader = fastavro.reader(BytesIO(message.value))
        found += [(message.partition, row["flow_key"]) for row in reader]
    return found


@given(KEYS, st.integers(1, 12))
def test_each_row_goes_once_to_the_partition_of_its_key(keys: list[int], partitions: int) -> None:
    rows = decode(encode(keys, partitions))
    assert sorted(key for _, key in rows) == sorted(keys)
    assert all(partition == key % 2**64 % partitions for partition, key in rows)


def test_an_empty_interval_is_still_a_message_for_each_partition() -> None:
    interval = encode([], 4)
    assert [message.partition for message in interval.messages] == [0, 1, 2, 3]
    batches = [parse_batch(fastavro.reader(BytesIO(message.value)).metadata) for message in interval.messages]
    assert [batch.partition for batch in batches] == [0, 1, 2, 3]
    assert all((batch.part, batch.parts, batch.partitions) == (0, 1, 4) for batch in batches)
    assert all((batch.coverage, batch.lost, batch.sequence) == ("lossy", {"overruns": 2}, 3) for batch in batches)


def test_of_a_sparse_topic_only_partitions_with_rows_get_a_message_and_the_first_tells_what_was_lost() -> None:
    complete = dataclasses.replace(FACTS, coverage="complete", lost={})
    columns = {"flow_key": LongColumn(np.array([5, 9], np.int64)), "text": TextColumn([""], np.zeros(2))}
    encoder = IntervalEncoder(SCHEMA, "flow_key", is_sparse=True)
    without = encoder.encode(complete, columns, 4, is_sure=True)
    assert [message.partition for message in without.messages] == [1]
    assert [message.partition for message in encoder.encode(FACTS, columns, 4, is_sure=True).messages] == [0, 1]
    divided = encoder.divide_again(without, 3)
    assert sorted(key for _, key in decode(divided)) == [5, 9]
    nothing = {"flow_key": LongColumn(np.zeros(0, np.int64)), "text": TextColumn([""], np.zeros(0))}
    assert [message.partition for message in encoder.encode(complete, nothing, 4, is_sure=True).messages] == [0]


@pytest.mark.parametrize(("rows", "text"), [(300_000, "x"), (2_000, "x" * 2_000)])
def test_what_exceeds_a_message_travels_in_numbered_parts(rows: int, text: str) -> None:
    interval = encode(list(range(rows)), 1, text)
    batches = [parse_batch(fastavro.reader(BytesIO(message.value)).metadata) for message in interval.messages]
    assert len(batches) > 1
    assert [(batch.part, batch.parts) for batch in batches] == [(part, len(batches)) for part in range(len(batches))]
    assert max(len(message.value) for message in interval.messages) <= MESSAGE_BYTES
    assert [key for _, key in decode(interval)] == list(range(rows))


@given(KEYS, st.integers(1, 12), st.integers(1, 12))
def test_divided_again_it_is_as_if_the_number_had_been_known(keys: list[int], guess: int, real: int) -> None:
    again = ENCODER.divide_again(encode(keys, guess, is_sure=False), real)
    assert sorted(decode(again)) == sorted(decode(encode(keys, real)))
    assert again.is_divided_for_sure
    assert again.partitions == real
    facts = parse_batch(fastavro.reader(BytesIO(again.messages[0].value)).metadata)
    assert (facts.boot, facts.sequence, facts.lost) == ("boot", 3, {"overruns": 2})


@given(KEYS, st.integers(1, 12))
def test_equal_input_gives_equal_bytes(keys: list[int], partitions: int) -> None:
    assert encode(keys, partitions) == encode(keys, partitions)


def test_a_foreign_message_cannot_be_divided() -> None:
    with pytest.raises((ValueError, DecodeError)):
        ENCODER.divide_again(Interval(0, 1, False, ()), 2)


@given(KEYS, st.integers(1, 12))
def test_every_frame_holds(keys: list[int], partitions: int) -> None:
    counts = [check_container(message.value, minimum_row_bytes=2).rows for message in encode(keys, partitions).messages]
    assert sum(counts) == len(keys)
