"""Figures of the alerts stage, as Prometheus names them; those of the engine by the names that it gives them."""

from collections.abc import Iterator
from dataclasses import fields

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.metrics_core import CounterMetricFamily, Metric

from streams.alert.counters import AlertCounters


class AlertMetrics:
    """Everything that moves in the alerts stage."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counters = AlertCounters()
        self.is_active = Gauge(
            "conntrail_worker_alerts_active", "1 on the worker that makes the alerts now.", registry=registry
        )
        self.behind = Gauge(
            "conntrail_worker_alerts_behind_seconds",
            "Age of the latest record while not all is read.",
            registry=registry,
        )
        self.entries = Gauge("conntrail_worker_alert_state_entries", "Entries of the state.", registry=registry)
        self.records = Counter(
            "conntrail_worker_alert_records", "Records taken, by topic.", ["topic"], registry=registry
        )
        self.refused = Counter(
            "conntrail_worker_refused_alert_records",
            "Records that could not be read; see the topic deadletter.",
            registry=registry,
        )
        self.lost = Counter(
            "conntrail_worker_lost_alert_records",
            "Records that Kafka had removed before they were read, at most, by topic.",
            ["topic"],
            registry=registry,
        )
        registry.register(self)

    def watch(self, counters: AlertCounters) -> None:
        """Show those of another engine from now on."""
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        """What a scrape is told."""
        for one in fields(AlertCounters):
            name, text = (
                f"conntrail_worker_alerts_{one.name}",
                f"{one.name.replace('_', ' ')}, as counted by the engine.",
            )
            yield CounterMetricFamily(name, text.capitalize(), value=getattr(self._counters, one.name))
