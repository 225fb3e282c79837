"""Records as the result topics carry them, whole, with one value to change at a time."""

import copy
from typing import Any

AT_NS = 1_795_458_720_123_456_789  # 2026-11-23T18:32:00.123456789Z
_CONNECTIONS = {"started": 1, "completed": 1, "denied": 0, "failed": 0, "active": 1}
_POLICY = {
    "verdict": "allow",
    "ingress": {"policies": ["NetworkPolicy:shop/web:rule=0:allow"]},
    "egress": {"policies": []},
    "denied_by": [],
    "pending": [],
    "drift": False,
}
_RULE = {"name": "shop/web", "id": "0", "ruleset": "NetworkPolicy", "category": "ingress", "uuid": "9f"}


def _end(address: str, port: int, pod: str) -> dict[str, Any]:
    return {
        "ip": address,
        "port": port,
        "bytes": 100,
        "packets": 2,
        "kubernetes": {
            "namespace": "shop",
            "pod": {"name": pod, "uid": f"uid-{pod}"},
            "workload": {"kind": "Deployment", "name": pod.partition("-")[0]},
            "node": {"name": "node1"},
            "service": None,
            "labels": {"app.kubernetes.io/name": pod},
        },
        "process": {"pid": 7, "name": "curl", "executable": "/usr/bin/curl"},
    }


def _head(identity: str, revision: int, *, replaces: bool, timestamp_ns: int) -> dict[str, Any]:
    return {
        "id": identity,
        "revision": revision,
        "replaces": replaces,
        "cluster": "test",
        "partition": 3,
        "timestamp_ns": timestamp_ns,
    }


def _network(community_id: str | None) -> dict[str, Any]:
    return {
        "transport": "tcp",
        "type": "ipv4",
        "iana_number": 6,
        "protocol": None,
        "direction": "internal",
        "bytes": 200,
        "packets": 4,
        "community_id": community_id,
    }


def flow(
    identity: str = "flow-1", revision: int = 1, *, replaces: bool = False, timestamp_ns: int = AT_NS
) -> dict[str, Any]:
    """An allowed connection between two pods, dialled by its Service, whose source was translated."""
    return copy.deepcopy(
        {
            **_head(identity, revision, replaces=replaces, timestamp_ns=timestamp_ns),
            "event": {
                "start_ns": timestamp_ns - 10_000_000_000,
                "end_ns": timestamp_ns,
                "duration_ns": 10_000_000_000,
                "action": "allowed",
                "reason": None,
            },
            "flow": {
                "id": "connection-1",
                "final": True,
                "reporter": "both",
                "evidence": ["confirmed"],
                "end_reason": "closed",
                "coverage": "complete",
                "attempts": 0,
                "connections": _CONNECTIONS,
            },
            "network": _network("1:abc="),
            "source": {**_end("10.0.0.1", 40000, "client-1"), "nat": {"ip": "192.0.2.1", "port": 50000}},
            "destination": {
                **_end("fd00::2", 8080, "web-1"),
                "domain": "web.shop",
                "service": {"name": "web", "namespace": "shop", "ip": "10.96.0.1", "port": 80},
            },
            "tcp": {
                "state": "close",
                "rtt_us": 120,
                "rtt_var_us": 30,
                "retransmits": 1,
                "lost": 0,
                "delivery_rate": 1000,
            },
            "policy": _POLICY,
            "rule": _RULE,
            "observer": {"name": "node1", "nodes": ["node1", "node2"]},
        }
    )


def dns(**event: Any) -> dict[str, Any]:
    """Three questions of a pod for a name outside, answered through the cluster's DNS Service. ``event``: changes."""
    return copy.deepcopy(
        {
            **_exchange(event),
            "count": 3,
            "dns": {
                "name": "api.example",
                "question_type": "AAAA",
                "response_code": "NOERROR",
                "answers": ["cdn.example", "2001:db8::1"],
                "time_to_live_seconds": 30,
                "truncated": 1,
            },
            "network": {"transport": "udp", "type": "ipv4", "protocol": "dns", "direction": "internal"},
        }
    )


def l7(**event: Any) -> dict[str, Any]:
    """Two requests of a pod to another, answered by 503. ``event``: changes."""
    record = {
        **_exchange({"action": "error", "reason": "status 503", **event}),
        "count": 2,
        "http": {
            "method": "GET", "status": 503, "version": "1.1", "host": "web.shop:8080", "path": "/orders/{id}",
            "user_agent": "curl/8", "request_id": "r-1",
            "trace_parent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        },
        "tls": {"server_name": "", "version": "", "alpn": [], "ja4": ""},
        "network": {"transport": "tcp", "type": "ipv4", "protocol": "http", "direction": "internal"},
    }  # fmt: skip
    record["source"]["port"] = 40000
    return copy.deepcopy(record)


def _exchange(event: dict[str, Any]) -> dict[str, Any]:
    ends = {"source": _end("10.0.0.1", 40000, "client-1"), "destination": _end("10.0.0.53", 8053, "web-1")}
    for end in ends.values():
        for name in ("bytes", "packets", "process"):
            del end[name]
    del ends["source"]["port"]
    ends["destination"]["service"] = {"name": "dns", "namespace": "kube-system", "ip": "10.96.0.10", "port": 53}
    return {
        "policy": _POLICY,
        "rule": _RULE,
        "id": "abc-7",
        "cluster": "test",
        "timestamp_ns": AT_NS,
        "event": {
            "start_ns": AT_NS - 9_000_000_000,
            "end_ns": AT_NS - 1_000_000_000,
            "duration_ns": 8_000_000_000,
            "action": "answered",
            "reason": None,
            **event,
        },
        "latency": {"mean_us": 1500, "p50_us": 1000, "p95_us": 2500, "max_us": 2500},
        "observer": {"name": "node1", "coverage": "complete"},
        **ends,
    }


def window(identity: str = "window-1", revision: int = 1, *, timestamp_ns: int = AT_NS) -> dict[str, Any]:
    """A workload pair whose destination is outside the cluster."""
    record = flow(identity, revision, timestamp_ns=timestamp_ns)
    del record["observer"], record["source"]["nat"]
    record["flow"] = {"coverage": "lossy", "evidence": ["confirmed"], "connections": dict(_CONNECTIONS)}
    record["network"] = _network(None)
    record["source"] |= {"ip": "", "port": 0, "process": None}
    record["source"]["kubernetes"] |= {"pod": None, "node": None, "labels": {}}
    record["destination"] |= {"ip": "203.0.113.9", "kubernetes": None, "process": None, "service": None}
    record["tcp"] = {"rtt_us": {"p50": 1, "p95": 2, "max": 3}, "retransmits": 0, "lost": 0}
    return record


def policy_hit(identity: str = "hit-1", revision: int = 1, *, timestamp_ns: int = AT_NS) -> dict[str, Any]:
    """A default deny."""
    return {
        **_head(identity, revision, replaces=False, timestamp_ns=timestamp_ns),
        "event": {"start_ns": timestamp_ns - 60_000_000_000, "end_ns": timestamp_ns},
        "policy": {
            "kind": "NetworkPolicy",
            "namespace": "shop",
            "name": "deny",
            "uid": "9f",
            "tier": "",
            "rule": -1,
            "direction": "ingress",
            "action": "deny",
        },
        "flows": 2,
        "connections": 2,
        "bytes": 120,
        "packets": 2,
        "allowed": 0,
        "denied": 2,
        "first_seen_ns": timestamp_ns - 5_000_000_000,
        "last_seen_ns": timestamp_ns,
    }


def alert(revision: int = 1, *, resolved_at_ns: int | None = None) -> dict[str, Any]:
    """An alert on a denied connection."""
    return {
        "id": "alert-1",
        "cluster": "test",
        "rule": "communication-break",
        "category": "connectivity",
        "severity": "high",
        "status": "open",
        "message": "shop/client no longer reaches shop/web:8080/tcp: denied",
        "reason": "policy shop/deny was made 10 s before",
        "namespace": "shop",
        "workloads": ["shop/client", "shop/web"],
        "subject": {"source": "shop/client", "destination": "shop/web"},
        "policies": ["NetworkPolicy:shop/deny:rule=-1:deny"],
        "nearest_miss": "ingress: NetworkPolicy shop/deny rule 0 fails by selector",
        "causes": [
            {
                "kind": "policy",
                "object": "NetworkPolicy/shop/deny",
                "summary": "created",
                "by": "alice",
                "at_ns": AT_NS - 10_000_000_000,
                "confidence": 0.9,
                "evidence": ["it denies the edge"],
            }
        ],
        "evidence": ["attempt"],
        "suggestions": ["conntrail policy explain"],
        "runbook": "Ask alice.",
        "count": 3,
        "member_count": 1,
        "members": ["shop/client → shop/web:8080/tcp"],
        "worked_since_ns": AT_NS - 3_600_000_000_000,
        "worked_until_ns": AT_NS - 11_000_000_000,
        "started_at_ns": AT_NS,
        "updated_at_ns": AT_NS + 86_400_000_000_000,
        "resolved_at_ns": resolved_at_ns,
        "silenced_until_ns": None,
        "revision": revision,
    }


def node_status(**facts: Any) -> dict[str, Any]:
    """What a node tells of ten seconds; ``facts`` replace."""
    return {
        "cluster": "test",
        "node": "node1",
        "interval_start_ns": AT_NS - 10_000_000_000,
        "interval_end_ns": AT_NS,
        "coverage": "lossy",
        "lost": {"attempts_cut": 3},
    } | facts


def dead_letter(offset: int = 5) -> dict[str, Any]:
    """A message that was no batch."""
    return {
        "cluster": "test",
        "stage": "flows",
        "reason": "not an object container",
        "topic": "conntrail.flows.raw",
        "partition": 1,
        "offset": offset,
        "observed_at_ns": AT_NS,
        "key": b"node1",
        "value": b"\x00\xff",
        "size_bytes": 2,
    }
