from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from streams.dns.record import KIND, action_of
from streams.exchange.cut import Cut
from streams.exchange.evaluate import evaluate_part
from streams.exchange.record import Origin
from streams.exchange.report import Reports
from streams.policy.knowledge import Names
from streams.policy.timeline import PolicyTimeline
from tests.support.objects import SECOND
from tests.support.parts import batch, part
from tests.unit.streams.exchange.builders import DIRECTORY, FAMILIES, asked

NAMES = Names(DIRECTORY, PolicyTimeline())
CODEC = SingleObjectCodec(read_schema("dns"))
Row = dict[str, Any]


def records(*rows: Row, **facts: Any) -> list[tuple[str, Row]]:
    """As whoever reads the topic gets them."""
    of = batch("node1", **facts)
    kept = evaluate_part(KIND.prepare(part(of, rows, schema="dns_exchange").rows), Reports(), DIRECTORY).rows
    made = KIND.records(kept, NAMES, Origin("test", of))
    return [(key, CODEC.decode(CODEC.encode(record))) for key, record in made]


@pytest.mark.parametrize("family", FAMILIES)
def test_both_ends_and_the_service_that_was_dialled_are_named(family: str) -> None:
    of = FAMILIES[family]
    row = asked(of["client"], of["server"], of["service"], dialled_port=80, protocol=6)
    [(key, record)] = records(row)
    assert key == "shop/Deployment/client"
    assert record["source"]["kubernetes"]["pod"]["name"] == "client"
    assert record["destination"]["kubernetes"]["node"]["name"] == "node2"
    service = {"name": "server", "namespace": "shop", "ip": of["service"], "port": 80}
    assert record["destination"]["service"] == service
    assert record["network"] == {"transport": "tcp", "type": family, "protocol": "dns", "direction": "internal"}
    assert record["observer"] == {"name": "node1", "coverage": "complete"}
    assert (record["timestamp_ns"], record["count"]) == (10 * SECOND, 10)


def test_a_client_outside_is_known_by_its_address() -> None:
    [(key, record)] = records(asked("203.0.113.9", "10.0.2.8"))
    assert (key, record["source"]["kubernetes"]) == ("203.0.113.9", None)
    assert record["network"]["direction"] == "inbound"


@pytest.mark.parametrize(
    ("code", "action", "reason"),
    [
        ("NOERROR", "answered", None),
        ("NXDOMAIN", "answered", None),
        ("SERVFAIL", "failed", "SERVFAIL from 10.0.2.8"),
        ("REFUSED", "failed", "REFUSED from 10.0.2.8"),
        ("TIMEOUT", "timeout", "no answer from 10.0.2.8"),
    ],
)
def test_the_action_follows_the_answer(code: str, action: str, reason: str | None) -> None:
    [(_, record)] = records(asked("10.0.1.7", "10.0.2.8", response_code=code))
    assert (record["event"]["action"], record["event"]["reason"]) == (action, reason)
    assert action_of(code) == action


def test_answers_and_their_figures_are_told() -> None:
    row = asked(
        "10.0.1.7", "10.0.2.8", answers=["203.0.113.9"], time_to_live_seconds=30, truncated=2, latency_us=[900, 1100],
        timed=2, latency_sum_us=2000, latency_max_us=1100,
    )  # fmt: skip
    [(_, record)] = records(row)
    assert record["dns"] == {
        "name": "a.example", "question_type": "A", "response_code": "NOERROR", "answers": ["203.0.113.9"],
        "time_to_live_seconds": 30, "truncated": 2,
    }  # fmt: skip
    assert record["latency"] == {"mean_us": 1000, "p50_us": 900, "p95_us": 1100, "max_us": 1100}
    assert record["event"]["duration_ns"] == SECOND - 1


def test_a_batch_that_is_read_twice_gives_the_same_records_and_others_give_others() -> None:
    rows = [asked("10.0.1.7", "10.0.2.8"), asked("10.0.1.7", "10.0.2.8", name="b.example")]
    assert records(*rows) == records(*rows)
    ids = {record["id"] for facts in ({}, {"boot": "other"}) for _, record in records(*rows, **facts)}
    assert len(ids) == 4


def test_what_was_not_shown_is_a_record_of_its_own() -> None:
    of = batch("node1", lost={"dns_cut": 40})
    key, record = KIND.cut(Origin("test", of), Cut(40, "40 over the node's rate limit"))
    decoded = CODEC.decode(CODEC.encode(record))
    assert key == "node1"
    assert decoded["event"] == {
        "start_ns": 0, "end_ns": 10 * SECOND, "duration_ns": 10 * SECOND, "action": "cut",
        "reason": "40 over the node's rate limit",
    }  # fmt: skip
    assert (decoded["count"], decoded["source"]["ip"], decoded["network"]["protocol"]) == (40, "", "dns")


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "name": st.text(max_size=300), "type": st.text(max_size=20), "response_code": st.text(max_size=20),
            "answers": st.lists(st.text(max_size=80), max_size=32), "latency_us": st.lists(st.integers(0, 2**50)),
            "timed": st.integers(0, 2**50), "latency_sum_us": st.integers(0, 2**50), "count": st.integers(0, 2**50),
            "latency_max_us": st.integers(0, 2**50), "first_seen_at_ns": st.integers(0, 2**62),
            "last_seen_at_ns": st.integers(0, 2**62), "protocol": st.integers(0, 255),
            "time_to_live_seconds": st.integers(0, 2**50),
        }
    )
)  # fmt: skip
def test_any_row_that_is_taken_makes_a_record_that_fits(facts: Row) -> None:
    assert len(records(asked("10.0.1.7", "2001:db8::1", **facts))) == 1
