from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DecodeError
from schemas.schema import read_schema
from streams.source.part import PartDecoder
from tests.support.parts import batch, encoded, raw_flow

DECODER = PartDecoder(read_schema("raw_flow"))


def test_rows_come_with_the_facts_of_their_batch() -> None:
    rows = [raw_flow(flow_key=-5, original_source_address="10.0.0.1", icmp_type=8), raw_flow(flow_key=6)]
    part = DECODER.decode(encoded(batch("node7", 3, coverage="lossy", lost={"overruns": 2}), rows), 42)
    assert part.offset == 42
    assert part.name == ("node7", "boot", 3, 0)
    assert part.batch.lost == {"overruns": 2}
    assert part.rows["flow_key"].to_list() == [-5, 6]
    assert part.rows["icmp_type"].to_list() == [8, None]
    assert part.rows["node"].to_list() == ["node7", "node7"]
    assert part.rows["coverage"].to_list() == ["lossy", "lossy"]


def test_an_empty_interval_is_a_part_with_the_same_columns() -> None:
    empty = DECODER.decode(encoded(batch()), 0).rows
    full = DECODER.decode(encoded(batch(), [raw_flow()]), 0).rows
    assert empty.height == 0
    assert empty.schema == full.schema


@given(st.binary(max_size=300))
def test_garbage_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        DECODER.decode(data, 0)


@given(st.data())
def test_a_damaged_message_decodes_or_is_a_decode_error(data: st.DataObject) -> None:
    whole = bytearray(encoded(batch(), [raw_flow(original_source_address="10.0.0.1")] * 3))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DecodeError):
        part = DECODER.decode(bytes(whole[: data.draw(st.integers(0, len(whole)))]), 0)
        assert part.rows.height <= 3
