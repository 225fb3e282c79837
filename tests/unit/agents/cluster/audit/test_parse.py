"""Audit events out of JSON: nothing of bodies is kept, nothing hostile does harm."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cluster.audit.parse import ParseError, parse_line, parse_list
from agents.cluster.audit.record import audit_record, request_of, title_of_object
from agents.cluster.change.attribution import Request
from agents.cluster.touch import NOTHING, Touched
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from tests.unit.agents.cluster.audit.events import AUDIT, RECEIVED_NS, audit_event, listed

_CODEC = SingleObjectCodec(read_schema("audit_event"))
_SECRET = "c2VjcmV0LWNvbnRlbnQ="


def test_an_event_becomes_a_record_of_who_did_what() -> None:
    (event,) = parse_list(listed(AUDIT)).events
    record = audit_record("test", event, Touched("Deployment", "web", "", ("shop/web",)), 5)
    assert (
        _CODEC.decode(_CODEC.encode(record))
        == record
        == {
            "cluster": "test",
            "audit_id": "a-1",
            "stage": "ResponseComplete",
            "verb": "create",
            "user": "jane",
            "groups": ["ops", "system:authenticated"],
            "source_addresses": ["192.0.2.7", "fd00::7"],
            "user_agent": "kubectl/v1.36",
            "api_group": "networking.k8s.io",
            "resource": "networkpolicies",
            "subresource": "",
            "namespace": "shop",
            "name": "deny",
            "object_uid": "p-1",
            "status_code": 201,
            "decision": "allow",
            "received_at_ns": RECEIVED_NS,
            "kind": "NetworkPolicy",
            "workload_kind": "Deployment",
            "workload_name": "web",
            "service_name": "",
            "workloads": ["shop/web"],
        }
    )
    assert request_of(event) == Request("NetworkPolicy/shop/deny", "create", "jane", RECEIVED_NS)


def test_nothing_of_a_body_is_kept() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"token": _SECRET}}
    value = audit_event(
        objectRef={"resource": "secrets", "namespace": "shop", "name": "s", "apiVersion": "v1"},
        requestObject=secret,
        responseObject=secret,
        annotations={"example.org/x": _SECRET, "authorization.k8s.io/decision": "allow"},
    )
    (event,) = parse_list(listed(value)).events
    record = audit_record("test", event, NOTHING, 5)
    assert record["name"] == "s"
    assert _SECRET not in repr(record)
    assert title_of_object(event) == "secrets"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"kind":"EventList"}', b"[" * 100_000,
        json.dumps({"kind": "PodList", "apiVersion": "v1", "items": []}).encode(),
        json.dumps({"kind": "EventList", "apiVersion": "v1", "items": []}).encode(),
        json.dumps({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [{}] * 10_001}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_list_of_audit_events_is_refused_without_its_content(body: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        parse_list(body)
    assert str(caught.value)
    assert len(str(caught.value)) <= 300
    with pytest.raises(ParseError):
        parse_line(body)


def test_one_broken_event_costs_itself_alone() -> None:
    broken = audit_event(verb=5, user={"username": _SECRET})
    parsed = parse_list(listed(AUDIT, broken, 7, AUDIT))
    assert [event.auditID for event in parsed.events] == ["a-1", "a-1"]
    assert [fault.partition(":")[0] for fault in parsed.faults] == ["items[1]", "items[2]"]
    assert _SECRET not in repr(parsed.faults)


def test_a_line_of_a_log_is_an_event() -> None:
    assert parse_line(json.dumps(AUDIT).encode()).auditID == "a-1"
    with pytest.raises(ParseError):
        parse_line(json.dumps({**AUDIT, "kind": "Pod"}).encode())


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_does_harm(body: bytes) -> None:
    for parse in (parse_list, parse_line):
        try:
            parse(body)
        except ParseError:
            continue


@given(st.lists(st.dictionaries(st.sampled_from(sorted(AUDIT)), _JSON), max_size=4))
def test_no_event_does_harm_and_each_is_a_record_or_a_fault(changes: list[dict[str, Any]]) -> None:
    parsed = parse_list(listed(*({**AUDIT, **change} for change in changes)))
    assert len(parsed.events) + len(parsed.faults) == len(changes)
    for event in parsed.events:
        _CODEC.encode(audit_record("test", event, NOTHING, 5))
        title_of_object(event)
        request_of(event)


@pytest.mark.parametrize(
    "change",
    [
        {"responseStatus": {"code": 403}},
        {"objectRef": None},
        {"objectRef": {"resource": "pods", "subresource": "status", "namespace": "shop", "name": "web"}},
        {"objectRef": {"resource": "secrets", "namespace": "shop", "name": "s"}},
        {"objectRef": {"resource": "pods", "namespace": "shop"}},
        {"requestReceivedTimestamp": "yesterday"},
    ],
)
def test_what_changed_nothing_that_is_followed_made_no_change(change: dict[str, Any]) -> None:
    (event,) = parse_list(listed(audit_event(**change))).events
    assert request_of(event) is None


def test_who_acts_for_another_is_named_too() -> None:
    (event,) = parse_list(listed(audit_event(impersonatedUser={"username": "root"}))).events
    assert audit_record("test", event, NOTHING, 5)["user"] == "root (by jane)"
