"""Figures of the denials stage, as Prometheus names them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class DenialCounters:
    """Everything that moves in the denials stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"conntrail_worker_{name}", text, registry=registry)

        self.parts = counter("denial_parts", "Messages of denials.raw that were held.")
        self.duplicates = counter("duplicate_denial_parts", "Messages that were held already.")
        self.records = Counter(
            "conntrail_worker_denial_records", "Records emitted, by action.", ["action"], registry=registry
        )
        self.unnamed = counter(
            "unnamed_denials", "Records of an end in the cluster whose name did not come while they waited."
        )
        self.echoes = counter("denial_echoes", "Refusals that another node on the way tells of, too, and dropped.")
        self.cut = counter("cut_denials", "Denied first packets that nodes counted and did not tell.")
        self.age = Histogram(
            "conntrail_worker_denial_age_seconds",
            "From the first denied packet of a record to its emission.",
            buckets=(0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 10, 60, 600),
            registry=registry,
        )
        self.refused = counter(
            "refused_denial_messages", "Messages that were no batch of denials; see the topic deadletter."
        )
        self.skipped = counter(
            "skipped_denial_offsets", "Offsets that Faust did not give; they were read again from the log."
        )
        self.refused_share = Gauge(
            "conntrail_worker_refused_denial_share",
            "Share of the last 200 messages of denials that was refused.",
            registry=registry,
        )
