"""The topics: what each is called, what it carries and how long it keeps it. One table, nothing decided elsewhere."""

from dataclasses import dataclass, field
from typing import Literal

Framing = Literal["container", "single"]
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic without its prefix. ``schema`` is the stem of the .avsc file."""

    name: str
    schema: str
    framing: Framing
    key: str
    cleanup: str
    retention_ms: int | None
    extra: dict[str, str] = field(default_factory=dict)

    def full_name(self, prefix: str) -> str:
        """Name in Kafka."""
        return prefix + self.name

    def configuration(self) -> dict[str, str]:
        """Topic configuration as Kafka names it."""
        configuration = {"cleanup.policy": self.cleanup, **self.extra}
        if self.retention_ms is not None:
            configuration["retention.ms"] = str(self.retention_ms)
        return configuration


FLOWS_RAW = Topic("flows.raw", "raw_flow", "container", "node", "delete", _HOUR_MS)
DNS_RAW = Topic("dns.raw", "dns_exchange", "container", "node", "delete", _HOUR_MS)
L7_RAW = Topic("l7.raw", "l7_exchange", "container", "node", "delete", _HOUR_MS)
DENIALS_RAW = Topic("denials.raw", "raw_flow", "container", "node", "delete", _HOUR_MS)
KUBERNETES_OBJECTS = Topic(
    "k8s.objects",
    "kubernetes_object",
    "single",
    "Kind/namespace/name",
    "compact",
    None,
    # A replay of flows.raw must find the names of then, so no state younger than its retention is compacted.
    {"min.compaction.lag.ms": str(2 * _HOUR_MS), "delete.retention.ms": str(_DAY_MS)},
)
KUBERNETES_EVENTS = Topic("k8s.events", "kubernetes_event", "single", "namespace", "delete", 7 * _DAY_MS)
KUBERNETES_AUDIT = Topic("k8s.audit", "audit_event", "single", "namespace", "delete", 7 * _DAY_MS)
FLOWS = Topic("flows", "flow", "single", "source workload", "delete", _DAY_MS)
WINDOWS = Topic("windows", "window", "single", "source workload", "delete", 7 * _DAY_MS)
POLICY_HITS = Topic("policy.hits", "policy_hit", "single", "policy", "delete", 7 * _DAY_MS)
DNS = Topic("dns", "dns", "single", "client workload", "delete", _DAY_MS)
L7 = Topic("l7", "l7", "single", "source workload", "delete", _DAY_MS)
DENIALS = Topic("denials", "denial", "single", "source workload", "delete", _DAY_MS)
CHANGES = Topic("changes", "change", "single", "namespace", "delete", 7 * _DAY_MS)
NODES = Topic("nodes", "node_status", "single", "node", "delete", _DAY_MS)
ALERTS = Topic("alerts", "alert", "single", "alert id", "compact,delete", 30 * _DAY_MS)
ALERT_STATE = Topic("alerts.state", "alert_state", "single", "kind/entry", "compact", None)
SILENCES = Topic("alerts.silences", "silence", "single", "silence id", "compact,delete", 30 * _DAY_MS)
ALERT_DELIVERIES = Topic("alerts.deliveries", "delivery", "single", "receiver/alert id", "compact,delete", 30 * _DAY_MS)
CAPTURE_REQUESTS = Topic("captures.requests", "capture_request", "single", "capture id", "delete", _DAY_MS)
CAPTURE_STATUS = Topic("captures.status", "capture_status", "single", "capture id", "compact,delete", 7 * _DAY_MS)
CAPTURE_CHUNKS = Topic("captures.chunks", "capture_chunk", "single", "capture id", "delete", _DAY_MS)
DEAD_LETTER = Topic("deadletter", "dead_letter", "single", "source topic", "delete", 30 * _DAY_MS)

TOPICS = (
    FLOWS_RAW,
    DNS_RAW,
    L7_RAW,
    DENIALS_RAW,
    KUBERNETES_OBJECTS,
    KUBERNETES_EVENTS,
    KUBERNETES_AUDIT,
    FLOWS,
    WINDOWS,
    POLICY_HITS,
    DNS,
    L7,
    DENIALS,
    CHANGES,
    NODES,
    ALERTS,
    ALERT_STATE,
    SILENCES,
    ALERT_DELIVERIES,
    CAPTURE_REQUESTS,
    CAPTURE_STATUS,
    CAPTURE_CHUNKS,
    DEAD_LETTER,
)
