"""Figures of the deliveries, by receiver: names of the file, 32 at most."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge


class DeliveryCounters:
    """Everything that moves where alerts are sent out."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.delivered = Counter(
            "conntrail_worker_delivery_delivered_alerts", "Alerts that the receiver took.", ["receiver"],
            registry=registry,
        )  # fmt: skip
        self.failures = Counter(
            "conntrail_worker_delivery_failed_tries", "Tries that failed and are repeated.", ["receiver"],
            registry=registry,
        )  # fmt: skip
        self.dead = Counter(
            "conntrail_worker_delivery_dead_alerts", "Alerts given up; see the topic deadletter.", ["receiver"],
            registry=registry,
        )  # fmt: skip
        self.held = Gauge(
            "conntrail_worker_delivery_held_alerts", "Alerts that a silence holds back now.", ["receiver"],
            registry=registry,
        )  # fmt: skip
        self.dropped = Counter(
            "conntrail_worker_delivery_dropped_alerts", "Alerts not queued because too many wait.", ["receiver"],
            registry=registry,
        )  # fmt: skip
        self.waiting = Gauge(
            "conntrail_worker_delivery_waiting_alerts", "Alerts that the receiver is to be told of.", ["receiver"],
            registry=registry,
        )  # fmt: skip
        self.files = Counter(
            "conntrail_worker_delivery_file_changes",
            "Changes of the file of receivers, taken or refused.",
            ["outcome"],
            registry=registry,
        )
        self.file_refused = Gauge(
            "conntrail_worker_delivery_file_refused", "1 while the file is of no use and the one before is in force.",
            registry=registry,
        )  # fmt: skip
        self.leader = Gauge(
            "conntrail_worker_delivery_leader", "1 where this process sends; of several one does.", registry=registry
        )

    def forget(self, receiver: str) -> None:
        """Nothing waits for who is gone."""
        for figure in (self.held, self.waiting):
            with suppress(KeyError):
                figure.remove(receiver)
