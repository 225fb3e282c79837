"""What publishing counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class PublishMetrics:
    """Counters of one process's publishing."""

    def __init__(self, registry: CollectorRegistry, of: str = "") -> None:
        """``of``: a word in the metrics' names, for a process that publishes to several topics."""
        name = f"conntrail_{of}_" if of else "conntrail_"
        self.intervals = Counter(f"{name}publish_intervals", "Intervals that Kafka confirmed whole.", registry=registry)
        self.messages = Counter(f"{name}publish_messages", "Messages that Kafka confirmed.", registry=registry)
        self.bytes = Counter(f"{name}publish_bytes", "Bytes of confirmed messages, uncompressed.", registry=registry)
        self.errors = Counter(
            f"{name}publish_errors",
            "Deliveries that failed and are repeated, by cause.",
            ["cause"],
            registry=registry,
        )
        self.dropped = Counter(
            f"{name}publish_dropped_intervals", "Intervals given up unsent, by cause.", ["cause"], registry=registry
        )
        self.spooled_intervals = Gauge(f"{name}spool_intervals", "Intervals not confirmed yet.", registry=registry)
        self.spooled_bytes = Gauge(f"{name}spool_bytes", "Bytes not confirmed yet.", registry=registry)
        self.confirmed_at = Gauge(
            f"{name}publish_confirmed_timestamp_seconds", "When Kafka last confirmed an interval.", registry=registry
        )
