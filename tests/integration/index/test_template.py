"""Every field of the contract is mapped, with the type that questions need, in an index made by our templates."""

import uuid
from typing import Any

import pytest

from tests.support.index import ask, put_templates

_COMMON = {
    "@timestamp": "date",
    "event.start": "date",
    "event.end": "date",
    "event.duration": "long",
    "event.dataset": "keyword",
    "event.action": "keyword",
    "event.kind": "keyword",
    "event.category": "keyword",
    "event.type": "keyword",
    "event.outcome": "keyword",
    "event.reason": "keyword",
    "ecs.version": "keyword",
    "related.ip": "ip",
    "related.hosts": "keyword",
    "rule.name": "keyword",
    "rule.id": "keyword",
    "rule.ruleset": "keyword",
    "rule.category": "keyword",
    "rule.uuid": "keyword",
    "observer.name": "keyword",
    "orchestrator.cluster.name": "keyword",
    "orchestrator.type": "keyword",
    "message": "text",
}
_END = {
    "ip": "ip",
    "port": "long",
    "bytes": "long",
    "packets": "long",
    "kubernetes.namespace": "keyword",
    "kubernetes.pod.name": "keyword",
    "kubernetes.pod.uid": "keyword",
    "kubernetes.workload.kind": "keyword",
    "kubernetes.workload.name": "keyword",
    "kubernetes.node.name": "keyword",
    "kubernetes.service.name": "keyword",
    "kubernetes.labels": "flattened",
    "process.name": "keyword",
    "process.pid": "long",
    "process.executable": "keyword",
}
_TRAFFIC = {
    "network.transport": "keyword",
    "network.type": "keyword",
    "network.iana_number": "keyword",
    "network.protocol": "keyword",
    "network.direction": "keyword",
    "network.bytes": "long",
    "network.packets": "long",
    "network.community_id": "keyword",
    **{f"{end}.{name}": kind for end in ("source", "destination") for name, kind in _END.items()},
    "destination.service.name": "keyword",
    "destination.service.namespace": "keyword",
    "destination.service.ip": "ip",
    "destination.service.port": "long",
    "destination.domain": "keyword",
    "flow.connections.started": "long",
    "flow.connections.completed": "long",
    "flow.connections.denied": "long",
    "flow.connections.failed": "long",
    "flow.connections.active": "long",
    "flow.evidence": "keyword",
    "flow.coverage": "keyword",
    "tcp.retransmits": "long",
    "tcp.lost": "long",
    "policy.verdict": "keyword",
    "policy.ingress.policies": "keyword",
    "policy.egress.policies": "keyword",
    "policy.denied_by": "keyword",
    "policy.pending": "keyword",
    "policy.drift": "boolean",
}
_FLOW = {
    "flow.id": "keyword",
    "flow.final": "boolean",
    "flow.reporter": "keyword",
    "flow.end_reason": "keyword",
    "tcp.state": "keyword",
    "tcp.rtt_us": "long",
    "tcp.rtt_var_us": "long",
    "tcp.delivery_rate": "long",
}
_WINDOW = {"tcp.rtt_us.p50": "long", "tcp.rtt_us.p95": "long", "tcp.rtt_us.max": "long"}
_EXPECTED = {
    "logs-conntrail.flow": {**_COMMON, **_TRAFFIC, **_FLOW},
    "metrics-conntrail.window": {**_COMMON, **_TRAFFIC, **_WINDOW},
    "logs-conntrail.dns": _COMMON,
    "logs-conntrail.l7": _COMMON,
    "logs-conntrail.alert": {**_COMMON, "threat.technique.id": "keyword"},
    "logs-conntrail.event": _COMMON,
    "logs-conntrail.audit": _COMMON,
    "logs-conntrail.deadletter": _COMMON,
    "metrics-conntrail.policy": _COMMON,
}


def _leaves(properties: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found = {}
    for name, body in properties.items():
        if "properties" in body:
            found |= _leaves(body["properties"], f"{prefix}{name}.")
        else:
            found[prefix + name] = body["type"]
    return found


@pytest.mark.parametrize("template", _EXPECTED)
def test_every_field_of_the_contract_is_mapped(elasticsearch: str, template: str) -> None:
    put_templates(elasticsearch)
    index = f"{template}-{uuid.uuid4().hex[:8]}-2026.11.23"
    ask(elasticsearch, "PUT", index)
    mapping = ask(elasticsearch, "GET", f"{index}/_mapping")[index]["mappings"]
    mapped = _leaves(mapping["properties"])
    assert {name: mapped.get(name) for name in _EXPECTED[template]} == _EXPECTED[template]
    assert str(mapping["dynamic"]) == "false"


def test_an_unknown_field_is_kept_but_never_mapped(elasticsearch: str) -> None:
    put_templates(elasticsearch)
    index = f"logs-conntrail.flow-{uuid.uuid4().hex[:8]}-2026.11.23"
    document = {"@timestamp": "2026-11-23T00:00:00Z", "surprise": {"deep": 1}}
    ask(elasticsearch, "PUT", f"{index}/_doc/1?refresh=true", document)
    assert ask(elasticsearch, "GET", f"{index}/_doc/1")["_source"]["surprise"] == {"deep": 1}
    assert "surprise" not in ask(elasticsearch, "GET", f"{index}/_mapping")[index]["mappings"]["properties"]


def test_labels_with_dots_come_back_as_they_went_in(elasticsearch: str) -> None:
    put_templates(elasticsearch)
    index = f"logs-conntrail.flow-{uuid.uuid4().hex[:8]}-2026.11.23"
    labels = {"app": "a", "app.kubernetes.io/name": "web"}
    document = {"@timestamp": "2026-11-23T00:00:00.000Z", "source": {"kubernetes": {"labels": labels}}}
    ask(elasticsearch, "PUT", f"{index}/_doc/1?refresh=true", document)
    query = {"query": {"term": {"source.kubernetes.labels.app.kubernetes.io/name": "web"}}}
    hits = ask(elasticsearch, "POST", f"{index}/_search", query)["hits"]["hits"]
    assert [hit["_source"]["source"]["kubernetes"]["labels"] for hit in hits] == [labels]
