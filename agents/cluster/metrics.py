"""Figures of the cluster agent, as Prometheus names them."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class ClusterMetrics:
    """Everything that moves in the cluster agent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"conntrail_cluster_agent_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"conntrail_cluster_agent_{name}", text, labels, registry=registry)

        self.published = counter("published_records", "Records published, deletions and tombstones included.")
        self.unpublishable = counter("unpublishable_records", "Records that fit neither schema nor topic; given up.")
        self.broken_manifests = counter(
            "broken_manifests", "Manifests that could not be read; their last content stays."
        )
        self.events = counter("watch_events", "Changes that the API server told.", "kind")
        self.listings = counter("listings", "Kinds listed anew: at start, and when a watch had expired.", "kind")
        self.watch_restarts = counter(
            "watch_restarts", "Watches that ended or could not begin, by cause.", "kind", "cause"
        )
        self.objects = gauge("objects", "Objects that exist, by kind.", "kind")
        self.is_leader = gauge("leader", "1 while this replica publishes.")
        self.lag_seconds = gauge(
            "lag_seconds", "From when a change was told to when Kafka had it, the oldest of the last batch."
        )
        self.confirmed_at = gauge("confirmed_timestamp_seconds", "When Kafka last confirmed a record, Unix time.")
        self.told = counter("told_records", "Events, audit events, changes and dead letters published.", "topic")
        self.untold = counter("untold_records", "The same, that fit neither schema nor topic; given up.", "topic")
        self.alert_events = counter(
            "alert_events",
            "Kubernetes Events about alerts: told, known before, refused; alerts without an object, or unreadable.",
            "outcome",
        )
        self.audit_requests = counter("audit_requests", "Requests to the audit webhook, by HTTP status.", "status")
        self.audit_left_out = counter(
            "audit_left_out_events",
            "Audit events not kept: by stage, as reads, as heartbeats, or cut by rate.",
            "reason",
        )
        self.audit_malformed = counter("audit_malformed", "Audit bodies, events and log lines that are none.")
        self.audit_letters_cut = counter(
            "audit_unlettered", "Of those, the ones that came faster than dead letters are written."
        )
