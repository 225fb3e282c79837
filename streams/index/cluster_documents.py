"""What happened in the cluster as documents in ECS terms: Kubernetes events, audit events, changes of objects.

Each names the workloads that it touches as flows name theirs (``related.workloads``), and under ``kubernetes.`` the one
that it is about. Events and changes share a dataset; ``event.provider`` tells them apart. What is told again with the
workloads that were not known at first has a higher version.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from streams.index import dataset as datasets
from streams.index.dataset import Dataset, iso_time
from streams.index.document import Body, Document, Record, distinct, head, pruned, without_empty

_ERROR_STATUS = 400
_MAXIMUM_ID = 512
"""Bytes of an _id that Elasticsearch takes."""
_NS_PER_MS = 1_000_000
_LONGEST_MS = 2**31 - 1
"""24 days, of an event; a version has 63 bits, and a count 31."""
_TYPES = {
    "create": "creation",
    "update": "change",
    "patch": "change",
    "delete": "deletion",
    "deletecollection": "deletion",
    "get": "access",
    "list": "access",
    "watch": "access",
    "created": "creation",
    "deleted": "deletion",
}


def event_document(record: Record, namespace: str) -> Document:
    """A Kubernetes Event: a later sight of it replaces an earlier one, so its index is that of the first."""
    body = _body(datasets.EVENT, namespace, record, record["last_seen_at_ns"])
    is_warning = record["type"] == "Warning"
    body["event"] |= pruned(
        {
            "provider": "kubernetes",
            "id": record["uid"],
            "action": record["reason"],
            "code": record["type"],
            "reason": record["reason"],
            "type": ["error"] if is_warning else ["info"],
            "outcome": "failure" if is_warning else "success",
            "start": iso_time(record["first_seen_at_ns"]),
            "end": iso_time(record["last_seen_at_ns"]),
            "duration": record["last_seen_at_ns"] - record["first_seen_at_ns"],
        }
    )
    body["message"] = record["message"]
    node = record["name"] if record["kind"] == "Node" else record["node_name"]
    body["kubernetes"] = {
        **_kubernetes(record, node),
        "event": {"count": record["count"], "component": record["component"]},
    }
    body["related"] = _related(record, [node])
    index = datasets.EVENT.index(namespace, record["first_seen_at_ns"])
    identity = _identity("event", record["cluster"], record["uid"])
    return Document(index, identity, _event_version(record), without_empty(pruned(body)))


def _event_version(record: Record) -> int:
    """Higher with the count, then with the last sight, then with the workloads."""
    count: int = max(1, record["count"])
    lasted_ms: int = (record["last_seen_at_ns"] - record["first_seen_at_ns"]) // _NS_PER_MS
    return count << 32 | min(max(0, lasted_ms), _LONGEST_MS) << 1 | bool(record["workloads"])


def audit_document(record: Record, namespace: str) -> Document:
    """A request to the Kubernetes API."""
    at_ns, verb = record["received_at_ns"], record["verb"]
    body = _body(datasets.AUDIT, namespace, record, at_ns)
    is_refused = record["status_code"] >= _ERROR_STATUS or record["stage"] == "Panic"
    verdict = {"allow": ["allowed"], "forbid": ["denied"]}.get(record["decision"], [])
    body["event"] |= pruned(
        {
            "provider": "kubernetes",
            "id": record["audit_id"],
            "category": ["iam"] if record["api_group"] == "rbac.authorization.k8s.io" else ["configuration"],
            "type": [_TYPES.get(verb, "info"), *verdict],
            "action": verb,
            "outcome": "failure" if is_refused else "success",
        }
    )
    what = "/".join(part for part in (record["resource"], record["subresource"]) if part)
    name = "/".join(part for part in (record["namespace"], record["name"]) if part)
    body["message"] = " ".join(part for part in (record["user"], verb, what, name) if part)
    body["http"] = pruned({"response": {"status_code": record["status_code"] or None}})
    body["user"] = pruned({"name": record["user"], "group": {"name": record["groups"]}})
    body["user_agent"] = pruned({"original": record["user_agent"]})
    body["source"] = pruned({"ip": record["source_addresses"]})
    body["kubernetes"] = pruned(
        {
            **_kubernetes(record, record["name"] if record["kind"] == "Node" else ""),
            "audit": {"decision": record["decision"], "subresource": record["subresource"]},
        }
    )
    body["related"] = {**_related(record, ()), "ip": record["source_addresses"], "user": distinct([record["user"]])}
    identity = _identity("audit", record["cluster"], record["audit_id"], record["stage"])
    index, version = datasets.AUDIT.index(namespace, at_ns), 1 + bool(record["workloads"])
    return Document(index, identity, version, without_empty(pruned(body)))


def change_document(record: Record, namespace: str) -> Document:
    """Something in the cluster became different; who did it may become known later, and replaces."""
    at_ns, action = record["at_ns"], record["action"]
    body = _body(datasets.EVENT, namespace, record, at_ns)
    body["event"] |= {
        "provider": "conntrail",
        "id": record["id"],
        "category": ["configuration"],
        "type": [_TYPES.get(action, "change")],
        "action": action,
        "reason": record["summary"],
        "outcome": "success",
    }
    body["message"] = record["summary"]
    body["change"] = {"from": record["from_value"], "to": record["to_value"]}
    body["user"] = {"name": record["by"]}
    body["kubernetes"] = _kubernetes(record, record["name"] if record["kind"] == "Node" else "")
    body["related"] = {**_related(record, ()), "user": distinct([record["by"]])}
    identity = _identity("change", record["cluster"], record["id"])
    return Document(
        datasets.EVENT.index(namespace, at_ns), identity, max(1, record["by_at_ns"]), without_empty(pruned(body))
    )


def _body(dataset: Dataset, namespace: str, record: Record, at_ns: int) -> Body:
    """With the object: its kind in lower case, the plural of the API where the kind is not followed."""
    body = head(dataset, namespace, at_ns, record["cluster"], "event")
    is_change = "object_uid" not in record
    resource = {
        "type": (record["kind"] or record.get("resource", "")).lower(),
        "name": record["name"],
        "id": record["uid"] if is_change else record["object_uid"],
    }
    body["orchestrator"] |= {"namespace": record["namespace"], "resource": resource}
    return body


def _kubernetes(record: Record, node: str) -> Body:
    """The same names as those of a flow's end."""
    found: dict[str, Any] = {
        "namespace": record["name"] if record["kind"] == "Namespace" else record["namespace"],
        "workload": {"kind": record["workload_kind"], "name": record["workload_name"]},
        "pod": {"name": record["name"] if record["kind"] == "Pod" else ""},
        "service": {"name": record["service_name"]},
        "node": {"name": node},
    }
    return pruned(found)


def _related(record: Record, nodes: Iterable[str]) -> Body:
    is_host = record["kind"] in ("Pod", "Node", "Service")
    hosts = [record["name"] if is_host else None, record["service_name"], *nodes]
    return {"hosts": distinct(hosts), "workloads": record["workloads"]}


def _identity(*parts: str) -> str:
    """Of bounded length, whatever names are like."""
    told = "|".join(parts)
    if len(told.encode()) <= _MAXIMUM_ID:
        return told
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
