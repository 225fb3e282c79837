import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.container import ContainerEncoder
from schemas.errors import DecodeError
from schemas.schema import read_schema
from streams.source.bound import check_time
from streams.source.part import Part, PartDecoder
from tests.support.parts import SECOND, batch, dns_exchange, encoded, l7_exchange, part, raw_flow

SCHEMA = read_schema("raw_flow")
DECODER = PartDecoder(SCHEMA)
L7_DECODER = PartDecoder(read_schema("l7_exchange"))


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


@pytest.mark.parametrize(
    ("impossible", "complaint"),
    [
        ({"protocol": 256}, "protocol 256"),
        ({"protocol": -1}, "protocol -1"),
        ({"zone": 65536}, "zone 65536"),
        ({"original_source_port": 65536}, "original_source_port 65536"),
        ({"reply_destination_port": -1}, "reply_destination_port -1"),
        ({"icmp_type": 256}, "icmp_type 256"),
        ({"original_bytes": -5}, "original_bytes -5"),
        ({"reply_bytes": 2**63 - 1}, "reply_bytes 9223372036854775807"),
        ({"started_at_ns": -(2**63)}, "started_at_ns -9223372036854775808"),
        ({"ended_at_ns": 2**63 - 1}, "ended_at_ns 9223372036854775807"),
        ({"attempts": -1}, "attempts -1"),
        ({"original_source_address": ""}, "original_source_address ''"),
        ({"original_destination_address": "web"}, "original_destination_address 'web'"),
        ({"reply_source_address": "10.0.0.256"}, "reply_source_address '10.0.0.256'"),
        ({"reply_destination_address": "fe80::1%eth0"}, "reply_destination_address 'fe80::1%eth0'"),
    ],
)
def test_one_impossible_value_refuses_the_message_and_is_named(impossible: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DecodeError, match=f"^{re.escape(complaint)} is "):
        DECODER.decode(encoded(batch(), [raw_flow(), raw_flow(**impossible), raw_flow()]), 0)


@pytest.mark.parametrize("number", [2**63, 10**19 - 1, 10**30])
def test_a_number_that_fits_no_long_refuses_the_message(number: int) -> None:
    with pytest.raises(DecodeError, match=r"^conntrail\.sequence is no number"):
        DECODER.decode(encoded(batch(sequence=number), [raw_flow()]), 0)


@pytest.mark.parametrize("column", ["protocol", "original_source_address", "is_first"])
def test_a_null_where_there_is_none_refuses_the_message(column: str) -> None:
    fields = [
        {**field, "type": ["null", field["type"]], "default": None} if field["name"] == column else field
        for field in SCHEMA["fields"]
    ]
    message = ContainerEncoder({**SCHEMA, "fields": fields}).encode(
        [raw_flow(), {**raw_flow(), column: None}], batch().metadata(), b"0123456789abcdef"
    )
    with pytest.raises(DecodeError, match=f"^{column} is null in 1 rows"):
        DECODER.decode(message, 0)


def test_values_at_their_bounds_are_taken() -> None:
    largest = {
        "protocol": 255, "zone": 65535, "original_source_port": 65535, "icmp_type": 255, "icmp_id": 65535,
        "original_bytes": 2**50, "started_at_ns": 2**62, "reply_source_address": "2001:db8::1",
        "original_source_address": "255.255.255.255",
    }  # fmt: skip
    part = DECODER.decode(encoded(batch(), [raw_flow(**largest)]), 0)
    assert part.rows.select(*largest).row(0) == tuple(largest.values())


def test_messages_read_together_are_what_each_is_alone() -> None:
    older = {**SCHEMA, "fields": SCHEMA["fields"][::-1]}
    bad = encoded(batch("bad"), [raw_flow(protocol=256)])
    messages = [
        encoded(batch("node1"), [raw_flow(flow_key=1), raw_flow(flow_key=2)]),
        b"garbage",
        encoded(batch("node2")),
        ContainerEncoder(older).encode([raw_flow(flow_key=3)], batch("node3").metadata(), b"0123456789abcdef"),
        bad,
        bad[:-20],
        encoded(batch("node4"), [raw_flow(flow_key=4)]),
    ]
    found = DECODER.decode_all(list(enumerate(messages)))
    assert list(map(shown, found)) == [shown(DECODER.decode_all([message])[0]) for message in enumerate(messages)]
    assert [part.name.node for part in found if isinstance(part, Part)] == ["node1", "node2", "node3", "node4"]


def test_what_messages_say_of_themselves_is_read_without_their_rows() -> None:
    times = {"start": NOW, "end": NOW + 10}
    messages = [
        encoded(batch("node1", **times), [raw_flow(protocol=256)]),
        b"garbage",
        encoded(batch("node2", **times)),
    ]
    assert [of.node for of in DECODER.batches(enumerate(messages), NOW * SECOND)] == ["node1", "node2"]


def shown(part: Part | DecodeError) -> Any:
    return (part.offset, part.batch, part.rows.to_dicts()) if isinstance(part, Part) else str(part)


def test_an_interval_of_another_age_is_refused_alone() -> None:
    messages = [encoded(batch(start=NOW, end=NOW + 10)), encoded(batch(start=0, end=10))]
    taken, refused = DECODER.decode_all(enumerate(messages), NOW * SECOND)
    assert isinstance(taken, Part)
    assert "clock of node1" in str(refused)


_BEFORE = {
    **SCHEMA,
    "fields": [
        field
        for field in SCHEMA["fields"]
        if field["name"] not in {"application_protocol", "destination_names", "is_destination_unnamed"}
    ],
}


def test_an_agent_of_the_release_before_is_understood() -> None:
    message = ContainerEncoder(_BEFORE).encode([raw_flow(flow_key=3)], batch().metadata(), b"0123456789abcdef")
    now = encoded(batch(), [raw_flow(flow_key=4, destination_names=["a.example"], is_destination_unnamed=True)])
    before, after = (part.rows for part in DECODER.decode_all([(0, message), (1, now)]) if isinstance(part, Part))
    assert before.schema == after.schema
    names = ("flow_key", "application_protocol", "destination_names", "is_destination_unnamed")
    assert before.select(*names).row(0) == (3, "", [], False)
    assert after.select(*names).row(0) == (4, "", ["a.example"], True)


def test_a_column_that_every_release_sends_may_not_be_missing() -> None:
    fields = [field for field in _BEFORE["fields"] if field["name"] != "zone"]
    message = ContainerEncoder({**SCHEMA, "fields": fields}).encode([raw_flow()], batch().metadata(), b"0" * 16)
    with pytest.raises(DecodeError, match=r"zone|does not fit"):
        DECODER.decode(message, 0)


@pytest.mark.parametrize(
    ("impossible", "complaint"),
    [
        ({"count": -1}, "count -1 is not within"),
        ({"latency_us": [-1]}, "latency_us -1 is not within"),
        ({"latency_us": [1] * 65}, "latency_us of 65 items is longer"),
        ({"answers": [""] * 65}, "answers of 65 items is longer"),
        ({"answers": ["x" * 2049]}, "answers of 2049 bytes is longer"),
        ({"name": "x" * 8193}, "name of 8193 bytes is longer"),
        ({"client_address": "web"}, "client_address 'web' is no address"),
    ],
)
def test_exchanges_are_held_to_bounds_of_their_own(impossible: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DecodeError, match=f"^{re.escape(complaint)}"):
        part(batch(), [dns_exchange(), dns_exchange(**impossible)], schema="dns_exchange")


def test_lists_of_exchanges_are_read() -> None:
    rows = [dns_exchange(latency_us=[3, 1], answers=["10.0.0.1", "fd00::1"]), dns_exchange()]
    found = part(batch(), rows, schema="dns_exchange").rows
    assert found["latency_us"].to_list() == [[3, 1], []]
    assert found["answers"].to_list() == [["10.0.0.1", "fd00::1"], []]


@given(st.data())
def test_a_damaged_batch_of_exchanges_decodes_or_is_a_decode_error(data: st.DataObject) -> None:
    rows = [l7_exchange(latency_us=[1, 2], tls_alpn=["h2"], path="/")] * 3
    whole = bytearray(encoded(batch(), rows, "l7_exchange"))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(len(whole) - 400, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DecodeError):
        assert L7_DECODER.decode(bytes(whole), 0).rows.height <= 3


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


HOUR = 3600
NOW = 400_000 * HOUR


@pytest.mark.parametrize("start", [0, NOW - 8 * 24 * HOUR, NOW + HOUR])
def test_an_interval_of_another_age_is_the_fault_of_a_clock(start: int) -> None:
    with pytest.raises(DecodeError, match="is the clock of node1 right"):
        check_time(batch(start=start, end=start + 10), NOW * SECOND)


@pytest.mark.parametrize("start", [NOW - 6 * 24 * HOUR, NOW - HOUR, NOW - 10, NOW, NOW + HOUR // 2])
def test_an_interval_that_comes_late_or_from_a_clock_a_little_ahead_is_taken(start: int) -> None:
    check_time(batch(start=start, end=start + 10), NOW * SECOND)
