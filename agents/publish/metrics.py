"""What publishing counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class PublishMetrics:
    """Counters of one process's publishing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.intervals = Counter(
            "conntrail_publish_intervals", "Intervals that Kafka confirmed whole.", registry=registry
        )
        self.messages = Counter("conntrail_publish_messages", "Messages that Kafka confirmed.", registry=registry)
        self.bytes = Counter("conntrail_publish_bytes", "Bytes of confirmed messages, uncompressed.", registry=registry)
        self.errors = Counter(
            "conntrail_publish_errors",
            "Deliveries that failed and are repeated, by cause.",
            ["cause"],
            registry=registry,
        )
        self.dropped = Counter(
            "conntrail_publish_dropped_intervals", "Intervals given up unsent, by cause.", ["cause"], registry=registry
        )
        self.spooled_intervals = Gauge("conntrail_spool_intervals", "Intervals not confirmed yet.", registry=registry)
        self.spooled_bytes = Gauge("conntrail_spool_bytes", "Bytes not confirmed yet.", registry=registry)
        self.confirmed_at = Gauge(
            "conntrail_publish_confirmed_timestamp_seconds", "When Kafka last confirmed an interval.", registry=registry
        )
