"""Figures of the alerts that are read for subscribers and receivers."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class NoticeCounters:
    """Everything that moves where alerts and silences come in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "conntrail_worker_notice_records", "Alerts and silences taken in.", ["topic"], registry=registry
        )
        self.unusable = Counter(
            "conntrail_worker_notice_unusable_records",
            "Messages that were no alert or silence; see the topic deadletter.",
            ["topic"],
            registry=registry,
        )
        self.errors = Counter(
            "conntrail_worker_notice_read_errors", "Errors while following the topics; reading goes on.",
            registry=registry,
        )  # fmt: skip
        self.alerts = Gauge("conntrail_worker_notice_alerts", "Alerts that are remembered.", registry=registry)
        self.dropped = Gauge(
            "conntrail_worker_notice_dropped_alerts", "Alerts forgotten because there were too many.", registry=registry
        )
