"""Documents of what is noted about traffic and the pipeline: policies met, what nodes saw, alerts, dead letters."""

import hashlib
from base64 import b64encode

from streams.index import dataset as datasets
from streams.index.dataset import iso_time
from streams.index.document import Document, Record, head, pruned, spanned, without_empty

_SEVERITIES = {"low": 21, "medium": 47, "high": 73, "critical": 99}  # Elastic Security's scale of risk

_ALERT_FACTS = (
    "id", "severity", "status", "namespace", "subject", "policies", "nearest_miss", "evidence", "suggestions",
    "runbook", "count", "members", "member_count",
)  # fmt: skip


def policy_hit(record: Record, namespace: str) -> Document:
    """A ``metrics-conntrail.policy`` document."""
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
    return spanned(record, datasets.POLICY, namespace, body)


def node_status(record: Record, namespace: str) -> Document:
    """A ``metrics-conntrail.node`` document: a node says it of every interval, a quiet one too."""
    start_ns, end_ns = record["interval_start_ns"], record["interval_end_ns"]
    body = head(datasets.NODE, namespace, end_ns, record["cluster"], "metric")
    body["event"] |= {
        "category": ["host"],
        "type": ["info"],
        "start": iso_time(start_ns),
        "end": iso_time(end_ns),
        "duration": end_ns - start_ns,
    }
    body["observer"] = {"name": record["node"]}
    body["flow"] = pruned({"coverage": record["coverage"]})
    body["conntrail"] = {"lost": dict(record["lost"])} if record["lost"] else {}
    place = (record["cluster"], record["node"], start_ns, end_ns)
    identity = hashlib.blake2b(repr(place).encode(), digest_size=16).hexdigest()
    return Document(datasets.NODE.index(namespace, end_ns), identity, 1, without_empty(body))


def alert(record: Record, namespace: str) -> Document:
    """A ``logs-conntrail.alert`` document."""
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
    body["rule"] = pruned({"name": record["rule"], "category": record["category"]})
    body["related"] = pruned({"workloads": record["workloads"]})
    body["alert"] = pruned(
        {
            **{name: record[name] for name in _ALERT_FACTS},
            "causes": [_cause(cause) for cause in record["causes"]],
            "worked": {"since": _time(record["worked_since_ns"]), "until": _time(record["worked_until_ns"])},
            "silenced_until": _time(record["silenced_until_ns"]),
            "updated": iso_time(record["updated_at_ns"]),
        }
    )
    # By its start: a later revision must meet the earlier one in the same index.
    return Document(datasets.ALERT.index(namespace, started_ns), record["id"], record["revision"], without_empty(body))


def _cause(cause: Record) -> Record:
    known = {name: cause[name] for name in ("kind", "object", "summary", "by", "confidence", "evidence")}
    return pruned({**known, "at": _time(cause["at_ns"] or None)})


def _time(at_ns: int | None) -> str | None:
    return None if at_ns is None else iso_time(at_ns)


def dead_letter(record: Record, namespace: str) -> Document:
    """A ``logs-conntrail.deadletter`` document."""
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


def _text(value: bytes | None) -> str | None:
    """Bytes as the base64 that Elasticsearch's ``binary`` takes."""
    return None if value is None else b64encode(value).decode()
