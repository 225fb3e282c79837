import json
from pathlib import Path
from typing import Any

import pytest

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import ALERTS, DEAD_LETTER, DNS, FLOWS, L7, NODES, POLICY_HITS, WINDOWS, Topic
from streams.index.documents import document_of
from tests.unit.streams.index.builders import AT_NS, alert, dead_letter, dns, flow, l7, node_status, policy_hit, window

_DAY_NS = 86_400_000_000_000
_GOLDEN = Path(__file__).with_name("golden")
_RECORDS: list[tuple[Topic, dict[str, Any], str]] = [
    (FLOWS, flow(), "logs-conntrail.flow-prod-2026.11.23"),
    (WINDOWS, window(), "metrics-conntrail.window-prod-2026.11.23"),
    (POLICY_HITS, policy_hit(), "metrics-conntrail.policy-prod-2026.11.23"),
    (NODES, node_status(), "metrics-conntrail.node-prod-2026.11.23"),
    (DNS, dns(), "logs-conntrail.dns-prod-2026.11.23"),
    (L7, l7(), "logs-conntrail.l7-prod-2026.11.23"),
    (ALERTS, alert(), "logs-conntrail.alert-prod-2026.11.23"),
    (DEAD_LETTER, dead_letter(), "logs-conntrail.deadletter-prod-2026.11.23"),
]


@pytest.mark.parametrize(("topic", "record", "index"), _RECORDS, ids=lambda value: getattr(value, "name", None))
def test_a_decoded_record_becomes_the_golden_document(topic: Topic, record: dict[str, Any], index: str) -> None:
    codec = SingleObjectCodec(read_schema(topic.schema))
    document = document_of(topic, codec.decode(codec.encode(record)), "prod")
    golden = json.loads((_GOLDEN / f"{topic.schema}.json").read_text())
    assert document.body == golden
    assert document.index == index


def test_the_same_record_is_the_same_document_and_a_revision_keeps_its_place() -> None:
    first, again = document_of(FLOWS, flow(revision=1), "prod"), document_of(FLOWS, flow(revision=2), "prod")
    assert (first.index, first.id) == (again.index, again.id)
    assert (first.version, again.version) == (1, 2)


def test_the_index_follows_event_time_in_utc() -> None:
    before = document_of(FLOWS, flow(timestamp_ns=1_795_478_399_999_999_999), "prod")
    after = document_of(FLOWS, flow(timestamp_ns=1_795_478_400_000_000_000), "prod")
    assert before.index.endswith("-2026.11.23")
    assert after.index.endswith("-2026.11.24")


def test_a_resolved_alert_replaces_the_open_one_in_its_index_days_later() -> None:
    opened = document_of(ALERTS, alert(), "prod")
    resolved = document_of(ALERTS, alert(2, resolved_at_ns=AT_NS + 3 * _DAY_NS), "prod")
    assert (opened.index, opened.id) == (resolved.index, resolved.id)
    assert resolved.version > opened.version


def test_a_message_refused_twice_is_one_dead_letter_and_another_offset_is_another() -> None:
    identities = {document_of(DEAD_LETTER, dead_letter(offset), "prod").id for offset in (5, 5, 6)}
    assert len(identities) == 2


@pytest.mark.parametrize(("action", "outcome"), [("denied", "failure"), ("failed", "failure"), ("allowed", "success")])
def test_the_outcome_follows_the_action(action: str, outcome: str) -> None:
    record = flow()
    record["event"]["action"] = action
    assert document_of(FLOWS, record, "prod").body["event"]["outcome"] == outcome


def test_the_record_is_left_as_it_was() -> None:
    record = flow()
    document_of(FLOWS, record, "prod")
    assert record == flow()


@pytest.mark.parametrize(("topic", "record"), [(FLOWS, flow()), (DNS, dns()), (L7, l7())])
def test_labels_stay_as_they_were_told_also_empty_ones(topic: Topic, record: dict[str, Any]) -> None:
    labels = {"app": "web", "node-role.kubernetes.io/worker": ""}
    for name in ("source", "destination"):
        record[name]["kubernetes"]["labels"] = labels
    body = document_of(topic, record, "prod").body
    assert [body[name]["kubernetes"]["labels"] for name in ("source", "destination")] == [labels, labels]


@pytest.mark.parametrize(("topic", "record"), [(FLOWS, flow()), (DNS, dns())])
def test_a_pod_without_labels_has_no_field_of_them(topic: Topic, record: dict[str, Any]) -> None:
    record["source"]["kubernetes"]["labels"] = {}
    assert "labels" not in document_of(topic, record, "prod").body["source"]["kubernetes"]
