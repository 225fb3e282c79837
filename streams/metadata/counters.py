"""Figures of the metadata, as Prometheus names them."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class MetadataCounters:
    """Everything that moves where metadata comes in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "conntrail_worker_metadata_records", "Kubernetes objects taken in, tombstones included.", registry=registry
        )
        self.unusable = Counter(
            "conntrail_worker_metadata_unusable_records",
            "Messages that were no Kubernetes object; see the topic deadletter.",
            registry=registry,
        )
        self.refused_share = Gauge(
            "conntrail_worker_metadata_refused_share", "Share of the last 200 messages that was unusable.",
            registry=registry,
        )  # fmt: skip
        self.unsent = Counter(
            "conntrail_worker_metadata_lost_dead_letters",
            "Unusable messages that the topic deadletter did not get either.",
            registry=registry,
        )
        self.errors = Counter(
            "conntrail_worker_metadata_read_errors", "Errors while following the topic; reading goes on.",
            registry=registry,
        )  # fmt: skip
        self.lag = Gauge(
            "conntrail_worker_metadata_lag_records", "Records in the topic that are not taken in yet.",
            registry=registry,
        )  # fmt: skip
        self.partitions = Gauge(
            "conntrail_worker_metadata_partitions", "Partitions of the topic that are followed.", registry=registry
        )
