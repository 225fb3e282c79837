"""Every field that is indexed, with its type: the contract's table as mappings.

Core types only, which every distribution has. What is not named here stays in the document's source and costs
no mapping (``dynamic: false``). How many values a field takes is said in cardinality.py.
"""

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, str]

HEAD: Fields = {
    "@timestamp": "date",
    "ecs.version": "keyword",
    "data_stream.type": "keyword",
    "data_stream.dataset": "keyword",
    "data_stream.namespace": "keyword",
    "event.kind": "keyword",
    "event.category": "keyword",
    "event.type": "keyword",
    "event.action": "keyword",
    "event.outcome": "keyword",
    "event.reason": "keyword",
    "event.module": "keyword",
    "event.dataset": "keyword",
    "event.severity": "long",
    "event.start": "date",
    "event.end": "date",
    "event.duration": "long",
    "orchestrator.type": "keyword",
    "orchestrator.cluster.name": "keyword",
    "observer.name": "keyword",
    "observer.nodes": "keyword",
    "related.ip": "ip",
    "related.hosts": "keyword",
    "related.workloads": "keyword",
    "rule.name": "keyword",
    "rule.id": "keyword",
    "rule.ruleset": "keyword",
    "rule.category": "keyword",
    "rule.uuid": "keyword",
    "message": "text",
    "conntrail.partition": "long",
    "conntrail.revision": "long",
}

_END: Fields = {
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
    "nat.ip": "ip",
    "nat.port": "long",
}

TRAFFIC: Fields = {
    "network.transport": "keyword",
    "network.type": "keyword",
    "network.iana_number": "keyword",
    "network.protocol": "keyword",
    "network.direction": "keyword",
    "network.bytes": "long",
    "network.packets": "long",
    "network.community_id": "keyword",
    **{f"source.{name}": kind for name, kind in _END.items()},
    **{f"destination.{name}": kind for name, kind in _END.items()},
    "destination.domain": "keyword",
    "destination.unnamed": "boolean",
    "destination.service.name": "keyword",
    "destination.service.namespace": "keyword",
    "destination.service.ip": "ip",
    "destination.service.port": "long",
    "tcp.retransmits": "long",
    "tcp.lost": "long",
    "flow.connections.started": "long",
    "flow.connections.completed": "long",
    "flow.connections.denied": "long",
    "flow.connections.failed": "long",
    "flow.connections.active": "long",
    "flow.evidence": "keyword",
    "flow.coverage": "keyword",
    "policy.verdict": "keyword",
    "policy.ingress.policies": "keyword",
    "policy.egress.policies": "keyword",
    "policy.denied_by": "keyword",
    "policy.pending": "keyword",
    "policy.drift": "boolean",
    "conntrail.level": "keyword",
}

FLOW: Fields = {
    "flow.id": "keyword",
    "flow.final": "boolean",
    "flow.reporter": "keyword",
    "flow.end_reason": "keyword",
    "flow.attempts": "long",
    "conntrail.notable": "keyword",
    "tcp.state": "keyword",
    "tcp.rtt_us": "long",
    "tcp.rtt_var_us": "long",
    "tcp.delivery_rate": "long",
}

WINDOW: Fields = {"tcp.rtt_us.p50": "long", "tcp.rtt_us.p95": "long", "tcp.rtt_us.max": "long"}

POLICY: Fields = {
    "policy.kind": "keyword",
    "policy.namespace": "keyword",
    "policy.name": "keyword",
    "policy.uid": "keyword",
    "policy.tier": "keyword",
    "policy.rule": "long",
    "policy.direction": "keyword",
    "policy.action": "keyword",
    "policy.flows": "long",
    "policy.connections": "long",
    "policy.bytes": "long",
    "policy.packets": "long",
    "policy.allowed": "long",
    "policy.denied": "long",
    "policy.first_seen": "date",
    "policy.last_seen": "date",
}

NODE: Fields = {"flow.coverage": "keyword"}

ALERT: Fields = {
    "alert.id": "keyword",
    "alert.severity": "keyword",
    "alert.status": "keyword",
    "alert.subject": "flattened",
    "alert.evidence": "keyword",
    "alert.suggestions": "keyword",
    "alert.namespace": "keyword",
    "alert.policies": "keyword",
    "alert.nearest_miss": "keyword",
    "alert.runbook": "keyword",
    "alert.count": "long",
    "alert.members": "keyword",
    "alert.member_count": "long",
    "alert.causes.kind": "keyword",
    "alert.causes.object": "keyword",
    "alert.causes.summary": "keyword",
    "alert.causes.by": "keyword",
    "alert.causes.at": "date",
    "alert.causes.confidence": "float",
    "alert.causes.evidence": "keyword",
    "alert.worked.since": "date",
    "alert.worked.until": "date",
    "alert.silenced_until": "date",
    "alert.updated": "date",
    "threat.framework": "keyword",
    "threat.tactic.id": "keyword",
    "threat.tactic.name": "keyword",
    "threat.technique.id": "keyword",
    "threat.technique.name": "keyword",
}

EXCHANGE: Fields = {
    "client.ip": "ip",
    "client.port": "long",
    "server.ip": "ip",
    "server.port": "long",
    "conntrail.count": "long",
    "conntrail.latency.mean_us": "long",
    "conntrail.latency.p50_us": "long",
    "conntrail.latency.p95_us": "long",
    "conntrail.latency.max_us": "long",
}

DNS: Fields = {
    **EXCHANGE,
    "dns.type": "keyword",
    "dns.question.name": "keyword",
    "dns.question.type": "keyword",
    "dns.response_code": "keyword",
    "dns.answers.data": "keyword",
    "dns.resolved_ip": "ip",
    "dns.header_flags": "keyword",
    "conntrail.time_to_live_seconds": "long",
    "conntrail.truncated": "long",
}

L7: Fields = {
    **EXCHANGE,
    "http.request.method": "keyword",
    "http.request.id": "keyword",
    "http.response.status_code": "long",
    "http.version": "keyword",
    "url.path": "keyword",
    "url.domain": "keyword",
    "user_agent.original": "keyword",
    "trace.id": "keyword",
    "span.id": "keyword",
    "tls.version": "keyword",
    "tls.client.server_name": "keyword",
    "conntrail.tls.ja4": "keyword",
    "conntrail.tls.alpn": "keyword",
}

CLUSTER: Fields = {
    "event.id": "keyword",
    "event.code": "keyword",
    "event.provider": "keyword",
    "kubernetes.namespace": "keyword",
    "kubernetes.workload.kind": "keyword",
    "kubernetes.workload.name": "keyword",
    "kubernetes.pod.name": "keyword",
    "kubernetes.node.name": "keyword",
    "kubernetes.service.name": "keyword",
    "orchestrator.namespace": "keyword",
    "orchestrator.resource.type": "keyword",
    "orchestrator.resource.name": "keyword",
    "orchestrator.resource.id": "keyword",
    "related.user": "keyword",
    "user.name": "keyword",
}

EVENT: Fields = {
    **CLUSTER,
    "kubernetes.event.count": "long",
    "kubernetes.event.component": "keyword",
    "change.from": "keyword",
    "change.to": "keyword",
}

AUDIT: Fields = {
    **CLUSTER,
    "http.response.status_code": "long",
    "kubernetes.audit.decision": "keyword",
    "kubernetes.audit.subresource": "keyword",
    "source.ip": "ip",
    "user.group.name": "keyword",
    "user_agent.original": "keyword",
}

DEAD_LETTER: Fields = {
    "deadletter.stage": "keyword",
    "deadletter.topic": "keyword",
    "deadletter.partition": "long",
    "deadletter.offset": "long",
    "deadletter.size_bytes": "long",
    "deadletter.key": "binary",
    "deadletter.value": "binary",
}

SPAN: Fields = {"@timestamp": "date", "revision": "long"}

EDGE: Fields = {"@timestamp": "date", "orchestrator.cluster.name": "keyword"}

# Lucene refuses terms above 32,766 bytes; a longer text stays in the source and is not searchable.
_IGNORE_ABOVE = 1024
_BY_TYPE: dict[str, dict[str, Any]] = {
    "keyword": {"ignore_above": _IGNORE_ABOVE},
    "flattened": {"ignore_above": _IGNORE_ABOVE, "depth_limit": 2},
}


def properties(fields: Fields) -> dict[str, Any]:
    """Nested ``properties`` of an Elasticsearch mapping."""
    root: dict[str, Any] = {}
    for path, kind in fields.items():
        *parents, leaf = path.split(".")
        level = root
        for name in parents:
            level = level.setdefault(name, {"properties": {}})["properties"]
        level[leaf] = {"type": kind, **_BY_TYPE.get(kind, {})}
    return root
