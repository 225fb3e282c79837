"""What happened in the cluster as documents: the same names as flows have, each thing once."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import CHANGES, FLOWS, KUBERNETES_AUDIT, KUBERNETES_EVENTS, Topic
from streams.index.documents import document_of
from streams.index.field import AUDIT, EVENT, HEAD
from tests.unit.streams.index.builders import AT_NS, flow
from tests.unit.streams.index.cluster_builders import audit_event, change, kubernetes_event

_GOLDEN = Path(__file__).with_name("golden")
_DAY_NS = 86_400_000_000_000
_MILLISECOND = 1_000_000
_RECORDS: list[tuple[Topic, dict[str, Any], str]] = [
    (KUBERNETES_EVENTS, kubernetes_event(), "logs-conntrail.event-prod-2026.11.23"),
    (KUBERNETES_AUDIT, audit_event(), "logs-conntrail.audit-prod-2026.11.23"),
    (CHANGES, change(), "logs-conntrail.event-prod-2026.11.23"),
]


@pytest.mark.parametrize(("topic", "record", "index"), _RECORDS, ids=lambda value: getattr(value, "name", None))
def test_a_decoded_record_becomes_the_golden_document(topic: Topic, record: dict[str, Any], index: str) -> None:
    codec = SingleObjectCodec(read_schema(topic.schema))
    document = document_of(topic, codec.decode(codec.encode(record)), "prod")
    assert document.body == json.loads((_GOLDEN / f"{topic.schema}.json").read_text())
    assert document.index == index


def _paths(body: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, item in body.items():
        found |= _paths(item, f"{prefix}{name}.") if isinstance(item, dict) else {prefix + name}
    return found


@pytest.mark.parametrize(("topic", "record", "_index"), _RECORDS, ids=lambda value: getattr(value, "name", None))
def test_every_field_of_a_document_has_a_mapping(topic: Topic, record: dict[str, Any], _index: str) -> None:
    fields = {**HEAD, **(AUDIT if topic is KUBERNETES_AUDIT else EVENT)}
    assert _paths(document_of(topic, record, "prod").body) - fields.keys() == set()


def test_one_filter_finds_flows_events_audit_and_changes_of_a_workload() -> None:
    named = [document_of(topic, record, "prod").body["related"]["workloads"] for topic, record, _ in _RECORDS]
    flows = document_of(FLOWS, flow(), "prod").body["related"]["workloads"]
    assert all("shop/web" in workloads for workloads in (*named, flows))


def test_a_higher_count_replaces_a_lower_one_in_its_index_a_day_later_too() -> None:
    first = document_of(KUBERNETES_EVENTS, kubernetes_event(count=1), "prod")
    later = document_of(KUBERNETES_EVENTS, kubernetes_event(count=9, last_seen_at_ns=AT_NS + _DAY_NS), "prod")
    assert (first.index, first.id) == (later.index, later.id)
    assert first.version < later.version
    assert later.body["@timestamp"].startswith("2026-11-24")


def test_a_later_sight_of_the_same_count_replaces_the_earlier_one() -> None:
    first = document_of(KUBERNETES_EVENTS, kubernetes_event(), "prod")
    later = document_of(KUBERNETES_EVENTS, kubernetes_event(workloads=[], last_seen_at_ns=AT_NS + _MILLISECOND), "prod")
    more = document_of(KUBERNETES_EVENTS, kubernetes_event(count=4, last_seen_at_ns=AT_NS - _MILLISECOND), "prod")
    assert (first.index, first.id) == (later.index, later.id) == (more.index, more.id)
    assert first.version < later.version < more.version


@pytest.mark.parametrize("last_seen_at_ns", [0, AT_NS, 2**63 - 1])
@pytest.mark.parametrize("count", [0, 1, 2**31 - 1])
def test_no_count_and_no_time_make_a_version_that_elasticsearch_refuses(count: int, last_seen_at_ns: int) -> None:
    record = kubernetes_event(count=count, first_seen_at_ns=0, last_seen_at_ns=last_seen_at_ns)
    assert 0 < document_of(KUBERNETES_EVENTS, record, "prod").version < 2**63


def test_a_change_of_which_the_user_becomes_known_replaces_the_nameless_one() -> None:
    nameless = document_of(CHANGES, change(by="", by_at_ns=0), "prod")
    named = document_of(CHANGES, change(), "prod")
    assert (nameless.index, nameless.id) == (named.index, named.id)
    assert nameless.version < named.version
    assert "user" not in nameless.body


@pytest.mark.parametrize(("topic", "make"), [(KUBERNETES_EVENTS, kubernetes_event), (KUBERNETES_AUDIT, audit_event)])
def test_what_is_told_again_with_its_workloads_replaces_the_nameless_one(topic: Topic, make: Any) -> None:
    nameless, named = (document_of(topic, record, "prod") for record in (make(workloads=[]), make()))
    assert (nameless.index, nameless.id) == (named.index, named.id)
    assert nameless.version < named.version


def test_a_higher_count_without_names_replaces_a_lower_one_with_names() -> None:
    named = document_of(KUBERNETES_EVENTS, kubernetes_event(count=1), "prod")
    nameless = document_of(KUBERNETES_EVENTS, kubernetes_event(count=2, workloads=[]), "prod")
    assert named.version < nameless.version


@pytest.mark.parametrize(
    ("record", "outcome", "types", "category"),
    [
        (audit_event(), "success", ["creation", "allowed"], ["configuration"]),
        (audit_event(status_code=403, decision="forbid"), "failure", ["creation", "denied"], ["configuration"]),
        (audit_event(verb="delete", decision=""), "success", ["deletion"], ["configuration"]),
        (audit_event(verb="patch", stage="Panic"), "failure", ["change", "allowed"], ["configuration"]),
        (audit_event(verb="list"), "success", ["access", "allowed"], ["configuration"]),
        (audit_event(api_group="rbac.authorization.k8s.io"), "success", ["creation", "allowed"], ["iam"]),
    ],
)
def test_an_audit_document_says_how_it_ended(
    record: dict[str, Any], outcome: str, types: list[str], category: list[str]
) -> None:
    event = document_of(KUBERNETES_AUDIT, record, "prod").body["event"]
    assert (event["outcome"], event["type"], event["category"]) == (outcome, types, category)


def test_an_object_of_no_followed_kind_is_named_by_its_resource_and_nothing_by_nothing() -> None:
    secret = document_of(KUBERNETES_AUDIT, audit_event(kind="", resource="secrets"), "prod").body
    nothing = document_of(
        KUBERNETES_AUDIT, audit_event(kind="", resource="", namespace="", name="", object_uid=""), "prod"
    ).body
    assert secret["orchestrator"]["resource"]["type"] == "secrets"
    assert nothing["orchestrator"] == {"type": "kubernetes", "cluster": {"name": "test"}}


def test_no_name_makes_an_id_that_elasticsearch_refuses() -> None:
    long = document_of(KUBERNETES_EVENTS, kubernetes_event(uid="ä" * 1000), "prod")
    assert len(long.id.encode()) <= 512
