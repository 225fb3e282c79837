"""Figures of the cluster agent, as Prometheus names them."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class ClusterMetrics:
    """Everything that moves in the cluster agent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"conntrail_cluster_agent_{name}", text, registry=registry)

        self.published = counter("published_records", "Records published, deletions and tombstones included.")
        self.broken_manifests = counter(
            "broken_manifests", "Manifests that could not be read; their last content stays."
        )
        self.watch_restarts = counter("watch_restarts", "Watches begun anew, after an expiry or an error.")
        self.objects = Gauge(
            "conntrail_cluster_agent_objects", "Objects that exist, by kind.", ["kind"], registry=registry
        )
        self.is_leader = Gauge("conntrail_cluster_agent_leader", "1 while this replica publishes.", registry=registry)
