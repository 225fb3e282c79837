"""What is sent, held against what each API documents."""

import hmac
import json
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

import pytest

from streams.delivery.item import Action, Item
from streams.delivery.render.render import render
from tests.support.alerts import AT_NS, alert, resolved
from tests.unit.streams.delivery.builders import receiver

_NOW_NS = AT_NS + 3_600_000_000_000
_EVIL = "<!channel> & `x` <http://evil|click>\r\nX-Header: 1"
_HUGE: dict[str, Any] = {
    "message": "m&" * 5000,
    "reason": "r<" * 5000,
    "workloads": [f"namespace-{number}/{'w' * 200}" for number in range(64)],
    "policies": ["p>" * 300] * 20,
    "suggestions": ["`" * 5000],
    "causes": [{"summary": "c" * 5000, "by": "b" * 500, "confidence": 0.5}] * 8,
}


def _sent(kind: str, record: dict[str, Any], action: Action = "open", **facts: Any) -> Any:
    return json.loads(render(receiver(kind, **facts), [Item(record, action)], _NOW_NS).body)


def test_alertmanager_gets_an_array_whose_labels_never_change() -> None:
    request = render(
        receiver("alertmanager", "http://am.example/", "", link="https://c.example/a/{id}"),
        [Item(alert(), "open"), Item(alert("a2", 7, runbook="r"), "update")],
        _NOW_NS,
    )
    assert request.url == "http://am.example/api/v2/alerts"
    assert "Authorization" not in request.headers
    first, second = json.loads(request.body)
    assert {**first["labels"], "conntrail_id": "a2"} == second["labels"]
    assert all(isinstance(value, str) and value for value in first["labels"].values())
    assert first["generatorURL"] == "https://c.example/a/a1"
    assert datetime.fromisoformat(first["endsAt"]).timestamp() * 10**9 == _NOW_NS + 240 * 10**9


def test_alertmanager_is_told_an_end_that_is_neither_before_the_beginning_nor_in_the_future() -> None:
    (over,) = _sent("alertmanager", resolved(), "resolve")
    assert over["endsAt"] == "2026-11-18T11:07:40.000000Z"
    (early,) = _sent("alertmanager", resolved(resolved_at_ns=AT_NS - 5 * 10**9), "resolve")
    assert early["endsAt"] == early["startsAt"]
    (late,) = _sent("alertmanager", resolved(resolved_at_ns=_NOW_NS + 10**12), "resolve")
    assert late["endsAt"] == "2026-11-18T12:06:40.000000Z"


def test_slack_gets_blocks_within_their_limits_and_no_mention_or_link_of_a_name() -> None:
    for record in (alert(**_HUGE), alert(message=_EVIL, reason=_EVIL, workloads=[_EVIL], suggestions=[_EVIL])):
        message = _sent("slack", record, link="https://c.example/{id}")
        # A header is plain text, in which Slack reads nothing.
        text = json.dumps([message["text"], *(block for block in message["blocks"] if block["type"] != "header")])
        assert "<!channel" not in text
        assert "<http" not in text
        assert len(message["blocks"]) <= 50
        for block in message["blocks"]:
            if block["type"] == "header":
                assert len(block["text"]["text"]) <= 150
                assert block["text"]["type"] == "plain_text"
            if block["type"] == "section":
                assert len(block.get("text", {}).get("text", "")) <= 3000
                assert len(block.get("fields", [])) <= 10
                assert all(len(field["text"]) <= 2000 for field in block.get("fields", []))


def test_slack_tells_an_end_as_such() -> None:
    message = _sent("slack", resolved(), "resolve")
    assert message["text"].startswith("🟢 Resolved: shop/frontend")
    assert "*Until*\n2026-11-18T11:07:40.000000Z" in [field["text"] for field in message["blocks"][2]["fields"]]


def test_pagerduty_triggers_and_resolves_by_one_key() -> None:
    opened = _sent("pagerduty", alert(**_HUGE), link="https://c.example/{id}")
    assert (opened["routing_key"], opened["event_action"]) == ("s3", "trigger")
    payload = opened["payload"]
    assert payload.keys() >= {"summary", "source", "severity", "timestamp", "component", "group", "class"}
    assert len(payload["summary"]) == 1024
    assert payload["severity"] == "error"
    assert len(json.dumps(opened)) < 512 * 1024
    over = _sent("pagerduty", resolved(), "resolve")
    assert over == {"routing_key": "s3", "event_action": "resolve", "dedup_key": opened["dedup_key"]}
    assert len(_sent("pagerduty", alert("x" * 500))["dedup_key"]) <= 255


def test_cloudevents_structured_is_one_document() -> None:
    request = render(receiver("cloudevents"), [Item(alert(), "update")], _NOW_NS)
    assert request.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert request.headers["Authorization"] == "Bearer s3"
    event = json.loads(request.body)
    assert event["data"]["id"] == "a1"
    assert {name: value for name, value in event.items() if name not in ("data", "time")} == {
        "specversion": "1.0", "id": "test/a1/1", "source": "/conntrail/test", "type": "io.conntrail.alert.updated",
        "subject": "a1", "datacontenttype": "application/json",
    }  # fmt: skip


def test_cloudevents_binary_has_attributes_as_headers_that_nothing_breaks_out_of() -> None:
    request = render(receiver("cloudevents", mode="binary"), [Item(alert('a"é\r\n%'), "open")], _NOW_NS)
    assert json.loads(request.body)["id"] == 'a"é\r\n%'
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["ce-specversion"] == "1.0"
    assert unquote(request.headers["ce-subject"]) == 'a"é\r\n%'
    assert all(value.isascii() and value.isprintable() for value in request.headers.values())


def test_our_own_webhook_is_signed_over_time_and_body() -> None:
    request = render(receiver("json"), [Item(alert("a\r\n1"), "open")], _NOW_NS)
    timestamp = request.headers["X-Conntrail-Timestamp"]
    expected = hmac.new(b"s3", f"{timestamp}.".encode() + request.body, sha256).hexdigest()
    assert request.headers["X-Conntrail-Signature"] == f"sha256={expected}"
    assert timestamp == str(_NOW_NS // 10**9)
    assert request.headers["Idempotency-Key"] == "test/a%0D%0A1/1"
    assert json.loads(request.body)["action"] == "open"
    unsigned = render(receiver("json", secret=""), [Item(alert(), "open")], _NOW_NS)
    assert "X-Conntrail-Signature" not in unsigned.headers


@pytest.mark.parametrize("kind", ["alertmanager", "slack", "pagerduty", "cloudevents", "json"])
@pytest.mark.parametrize("action", ["open", "update", "resolve"])
def test_an_alert_that_says_nothing_is_rendered_too(kind: str, action: Action) -> None:
    blank = alert(
        rule="", category="", severity="", message="", reason="", namespace="", workloads=[], subject={}, policies=[],
        suggestions=[], started_at_ns=0, updated_at_ns=0, cluster="",
    )  # fmt: skip
    assert json.loads(render(receiver(kind), [Item(blank, action)], _NOW_NS).body)
