"""Records of the result topics as documents in ECS terms: names of the contract, absent instead of null or empty.

Decides what a document says, where it belongs and which revision it is; knows nothing of how it gets there.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable

from schemas.topic import (
    ALERTS,
    CHANGES,
    DEAD_LETTER,
    FLOWS,
    KUBERNETES_AUDIT,
    KUBERNETES_EVENTS,
    POLICY_HITS,
    WINDOWS,
    Topic,
)
from streams.index import dataset as datasets
from streams.index.cluster_documents import audit_document, change_document, event_document
from streams.index.dataset import Dataset, iso_time, span_index
from streams.index.document import Body, Document, Record, Span, distinct, head, pruned, without_empty

_OUTCOMES = {"allowed": "success", "denied": "failure", "failed": "failure"}
_SEVERITIES = {"low": 21, "medium": 47, "high": 73, "critical": 99}  # Elastic Security's scale of risk
_HEAD = ("id", "revision", "replaces", "cluster", "partition", "timestamp_ns")


def document_of(topic: Topic, record: Record, namespace: str) -> Document:
    """The document of a decoded record. Raises KeyError for a topic that is not indexed."""
    return _BUILDERS[topic.name](record, namespace)


def _flow(record: Record, namespace: str) -> Document:
    event = record["event"]
    flow, nodes = record["flow"], record["observer"]
    kinds = ["connection", *_action_kind(event["action"])]
    if flow["connections"]["started"]:
        kinds.append("start")
    kinds.append("end" if flow["final"] else "info")
    body = _traffic_body(record, datasets.FLOW, namespace, "event", kinds)
    body["flow"] = pruned(flow)
    body["observer"] = pruned(nodes)
    body["related"] = _related(record, nodes["nodes"])
    return _spanned(record, datasets.FLOW, namespace, body)


def _window(record: Record, namespace: str) -> Document:
    kinds = ["connection", *_action_kind(record["event"]["action"]), "info"]
    body = _traffic_body(record, datasets.WINDOW, namespace, "metric", kinds)
    body["flow"] = pruned(record["flow"])
    body["related"] = _related(record, ())
    return _spanned(record, datasets.WINDOW, namespace, body)


def _policy_hit(record: Record, namespace: str) -> Document:
    policy = record["policy"]
    body = head(datasets.POLICY, namespace, record["timestamp_ns"], record["cluster"], "metric")
    event = record["event"]
    body["event"] |= {
        "category": ["network"],
        "type": ["info"],
        "start": iso_time(event["start_ns"]),
        "end": iso_time(event["end_ns"]),
        "duration": event["end_ns"] - event["start_ns"],
    }
    body["policy"] = {
        **pruned(policy),
        **{name: record[name] for name in ("flows", "connections", "bytes", "packets", "allowed", "denied")},
        "first_seen": iso_time(record["first_seen_ns"]),
        "last_seen": iso_time(record["last_seen_ns"]),
    }
    body["rule"] = pruned(
        {
            "name": "/".join(part for part in (policy["namespace"], policy["name"]) if part),
            "id": str(policy["rule"]) if policy["rule"] >= 0 else "",
            "ruleset": "/".join(part for part in (policy["kind"], policy["tier"]) if part),
            "category": policy["direction"],
            "uuid": policy["uid"],
        }
    )
    return _spanned(record, datasets.POLICY, namespace, body)


def _alert(record: Record, namespace: str) -> Document:
    started_ns = record["started_at_ns"]
    body = head(datasets.ALERT, namespace, started_ns, record["cluster"], "alert")
    end_ns = record["resolved_at_ns"]
    body["event"] |= pruned(
        {
            "category": ["network"],
            "type": ["info"],
            "reason": record["reason"],
            "severity": _SEVERITIES.get(record["severity"]),
            "start": iso_time(started_ns),
            "end": None if end_ns is None else iso_time(end_ns),
        }
    )
    body["message"] = record["message"]
    body["rule"] = {"name": record["rule"]}
    body["alert"] = pruned(
        {
            **{name: record[name] for name in ("id", "severity", "status", "subject", "evidence", "suggestions")},
            "updated": iso_time(record["updated_at_ns"]),
        }
    )
    # By its start: a later revision must meet the earlier one in the same index.
    return Document(datasets.ALERT.index(namespace, started_ns), record["id"], record["revision"], without_empty(body))


def _dead_letter(record: Record, namespace: str) -> Document:
    observed_ns = record["observed_at_ns"]
    body = head(datasets.DEAD_LETTER, namespace, observed_ns, record["cluster"], "pipeline_error")
    body["event"] |= pruned(
        {"category": ["network"], "type": ["error"], "outcome": "failure", "reason": record["reason"]}
    )
    body["message"] = record["reason"]
    body["deadletter"] = pruned(
        {
            **{name: record[name] for name in ("stage", "topic", "partition", "offset", "size_bytes")},
            "key": _text(record["key"]),
            "value": _text(record["value"]),
        }
    )
    identity = _dead_letter_id(record)
    return Document(datasets.DEAD_LETTER.index(namespace, observed_ns), identity, 1, without_empty(body))


def _dead_letter_id(record: Record) -> str:
    """The same message refused again by the same stage is the same document."""
    place = (record["cluster"], record["stage"], record["topic"], record["partition"], record["offset"])
    content = () if record["topic"] else (record["reason"], record["key"], record["value"], record["observed_at_ns"])
    return hashlib.blake2b(repr((*place, *content)).encode(), digest_size=16).hexdigest()


def _traffic_body(record: Record, dataset: Dataset, namespace: str, kind: str, kinds: list[str]) -> Body:
    """What flows and windows have in common."""
    event = record["event"]
    body = head(dataset, namespace, record["timestamp_ns"], record["cluster"], kind)
    facts = {
        "category": ["network"],
        "type": kinds,
        "action": event["action"],
        "outcome": _OUTCOMES.get(event["action"], "unknown"),
        "start": iso_time(event["start_ns"]),
        "end": iso_time(event["end_ns"]),
        "duration": event["duration_ns"],
    }
    if event["reason"]:
        facts["reason"] = event["reason"]
    body["event"] |= facts
    body["network"] = pruned(record["network"])
    for name in ("source", "destination"):
        end = pruned(record[name])
        if not end.get("port"):
            end.pop("port", None)  # ICMP, or a window's many source ports
        body[name] = end
    for name in ("tcp", "policy", "rule"):
        if record[name]:
            body[name] = pruned(record[name])
    return body


def _spanned(record: Record, dataset: Dataset, namespace: str, body: Body) -> Document:
    """The document with what tells its emission from earlier ones."""
    timestamp_ns, partition, revision = record["timestamp_ns"], record["partition"], record["revision"]
    body["conntrail"] = {"partition": partition, "revision": revision}
    index = dataset.index(namespace, timestamp_ns)
    span = Span(
        index=span_index(namespace, timestamp_ns),
        id=f"{dataset.name}|{record['cluster']}|{partition}|{timestamp_ns}",
        target=index,
        cluster=record["cluster"],
        partition=partition,
        timestamp=body["@timestamp"],
        revision=revision,
        replaces=record["replaces"],
    )
    return Document(index, record["id"], revision, without_empty(body), span)


def _related(record: Record, nodes: Iterable[str]) -> Body:
    """Every address and every name, to pivot on."""
    source, destination = record["source"], record["destination"]
    service = destination["service"] or {}
    nat = source.get("nat") or {}
    addresses = (source["ip"], destination["ip"], nat.get("ip"), service.get("ip"))
    hosts: list[str | None] = [*_names(source["kubernetes"]), *_names(destination["kubernetes"])]
    hosts += [service.get("name"), destination["domain"], *nodes]
    workloads = [_workload(end["kubernetes"]) for end in (source, destination)]
    return {"ip": distinct(addresses), "hosts": distinct(hosts), "workloads": distinct(workloads)}


def _workload(kubernetes: Record | None) -> str | None:
    """One word for a workload, which every dataset has: a single filter finds all that concerns it."""
    if kubernetes is None or not kubernetes["workload"]:
        return None
    return f"{kubernetes['namespace']}/{kubernetes['workload']['name']}"


def _names(kubernetes: Record | None) -> list[str]:
    if kubernetes is None:
        return []
    return [kubernetes[part]["name"] for part in ("pod", "node", "service") if kubernetes[part]]


def _action_kind(action: str) -> list[str]:
    """ECS event.type knows allowed and denied, but no word for a connection that failed by itself."""
    return [action] if action in ("allowed", "denied") else []


def _text(value: bytes | None) -> str | None:
    """Bytes as the base64 that Elasticsearch's ``binary`` takes."""
    return None if value is None else b64encode(value).decode()


_BUILDERS = {
    FLOWS.name: _flow,
    WINDOWS.name: _window,
    POLICY_HITS.name: _policy_hit,
    ALERTS.name: _alert,
    DEAD_LETTER.name: _dead_letter,
    KUBERNETES_EVENTS.name: event_document,
    KUBERNETES_AUDIT.name: audit_document,
    CHANGES.name: change_document,
}
