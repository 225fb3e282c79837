from typing import Any

import pytest

from schemas.topic import DNS, L7
from streams.index.documents import document_of
from streams.index.field import DNS as DNS_FIELDS
from streams.index.field import HEAD, TRAFFIC
from streams.index.field import L7 as L7_FIELDS
from tests.unit.streams.index.builders import dns, l7


@pytest.mark.parametrize(
    ("action", "outcome", "kind"),
    [
        ("answered", "success", "info"),
        ("failed", "failure", "error"),
        ("timeout", "failure", "error"),
        ("error", "failure", "error"),
        ("unanswered", "failure", "error"),
        ("asked", "unknown", "info"),
        ("hello", "unknown", "info"),
        ("cut", "unknown", "info"),
    ],
)
def test_outcome_and_type_follow_the_action(action: str, outcome: str, kind: str) -> None:
    for topic, record in ((DNS, dns(action=action)), (L7, l7(action=action))):
        event = document_of(topic, record, "prod").body["event"]
        assert (event["outcome"], event["type"]) == (outcome, ["connection", "protocol", kind])


def test_a_timeout_is_a_query_without_an_answer_or_a_duration() -> None:
    record = dns(action="timeout", reason="no answer from 10.0.0.53")
    record["dns"] |= {"response_code": "TIMEOUT", "answers": [], "truncated": 0, "time_to_live_seconds": None}
    record["latency"] = dict.fromkeys(record["latency"])
    body = document_of(DNS, record, "prod").body
    question = {"name": "api.example", "type": "AAAA"}
    assert body["dns"] == {"type": "query", "question": question, "response_code": "TIMEOUT"}
    assert "duration" not in body["event"]


def test_what_was_not_shown_has_no_question_and_no_ends() -> None:
    record = dns(action="cut", reason="9 over the node's rate limit")
    record["source"] = {"ip": "", "kubernetes": None}
    record["destination"] = {"ip": "", "port": 0, "kubernetes": None, "service": None}
    record["dns"] = {
        "name": "", "question_type": "", "response_code": "", "answers": [], "time_to_live_seconds": None,
        "truncated": 0,
    }  # fmt: skip
    body = document_of(DNS, record, "prod").body
    assert not {"dns", "source", "destination", "client", "server"} & set(body)
    assert body["conntrail"]["count"] == 3
    assert body["related"] == {"hosts": ["node1"]}


@pytest.mark.parametrize("answer", ["no address", "fe80::1%eth0", "10.0.0.256", ""])
def test_an_answer_that_is_no_address_is_no_resolved_address(answer: str) -> None:
    record = dns()
    record["dns"]["answers"] = [answer, "2001:DB8::1"]
    body = document_of(DNS, record, "prod").body
    assert body["dns"]["resolved_ip"] == ["2001:db8::1"]
    assert body["related"]["ip"][-1] == "2001:db8::1"


@pytest.mark.parametrize(
    ("host", "domain"),
    [("[2001:db8::1]:80", "2001:db8::1"), ("web", "web"), ("web:80", "web"), ("", None), ("[", None)],
)
def test_the_domain_is_the_host_without_its_port(host: str, domain: str | None) -> None:
    record = l7()
    record["http"]["host"] = host
    assert document_of(L7, record, "prod").body["url"].get("domain") == domain


def test_a_record_of_before_queries_were_judged_tells_no_policy() -> None:
    record = dns() | {"policy": {**dns()["policy"], "verdict": ""}, "rule": None}
    assert not {"policy", "rule"} & set(document_of(DNS, record, "prod").body)


@pytest.mark.parametrize("parent", ["", "00-xyz", "00-0af7651916cd43dd8448eb211c80319c", "\n" * 100])
def test_what_is_no_traceparent_is_no_trace(parent: str) -> None:
    record = l7()
    record["http"]["trace_parent"] = parent
    assert not {"trace", "span"} & set(document_of(L7, record, "prod").body)


def test_a_greeting_tells_what_the_client_offered() -> None:
    record = l7(action="hello", reason=None)
    record["http"] = dict.fromkeys(record["http"], "") | {"status": 0}
    record["tls"] = {"server_name": "api.example", "version": "1.3", "alpn": ["h2"], "ja4": "t13d1516h2_x_y"}
    body = document_of(L7, record, "prod").body
    assert body["tls"] == {"version": "1.3", "client": {"server_name": "api.example"}}
    assert body["conntrail"]["tls"] == {"ja4": "t13d1516h2_x_y", "alpn": ["h2"]}
    assert "api.example" in body["related"]["hosts"]
    assert not {"http", "url", "user_agent"} & set(body)


@pytest.mark.parametrize(
    ("topic", "record", "fields"), [(DNS, dns(), DNS_FIELDS), (L7, l7(), L7_FIELDS)], ids=["dns", "l7"]
)
def test_every_field_is_mapped(topic: Any, record: dict[str, Any], fields: dict[str, str]) -> None:
    mapped = {**HEAD, **TRAFFIC, **fields}
    assert [path for path in _paths(document_of(topic, record, "prod").body, "") if path not in mapped] == []


def _paths(value: Any, path: str) -> list[str]:
    if path.endswith("kubernetes.labels"):
        return [path]
    if isinstance(value, list):
        return [found for item in value for found in _paths(item, path)]
    if not isinstance(value, dict):
        return [path]
    return [found for name, item in value.items() for found in _paths(item, f"{path}.{name}".lstrip("."))]
