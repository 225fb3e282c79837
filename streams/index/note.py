"""Documents of what is noted about traffic and about the pipeline: policies that were met, alerts, dead letters."""

import hashlib
from base64 import b64encode

from streams.index import dataset as datasets
from streams.index.dataset import iso_time
from streams.index.document import Document, Record, head, pruned, spanned, without_empty

_SEVERITIES = {"low": 21, "medium": 47, "high": 73, "critical": 99}  # Elastic Security's scale of risk


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
    body["rule"] = {"name": record["rule"]}
    body["alert"] = pruned(
        {
            **{name: record[name] for name in ("id", "severity", "status", "subject", "evidence", "suggestions")},
            "updated": iso_time(record["updated_at_ns"]),
        }
    )
    # By its start: a later revision must meet the earlier one in the same index.
    return Document(datasets.ALERT.index(namespace, started_ns), record["id"], record["revision"], without_empty(body))


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
