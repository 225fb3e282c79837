"""What the node agent counts. Names are part of the contract with dashboards and alerts."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from agents.node.capability.record import Capability


class NodeMetrics:
    """Counters of one node agent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        ProcessCollector(registry=registry)  # CPU seconds, resident memory, descriptors
        self.rows = Counter("conntrail_agent_rows", "Rows reported.", registry=registry)
        self.intervals = Counter(
            "conntrail_agent_intervals", "Intervals closed, by coverage.", ["coverage"], registry=registry
        )
        self.lost = Counter("conntrail_agent_lost", "What was lost, by cause.", ["cause"], registry=registry)
        self.events = Counter("conntrail_agent_events", "Conntrack events read, by kind.", ["kind"], registry=registry)
        self.attempts = Counter("conntrail_agent_attempts", "First packets read.", registry=registry)
        self.denials = Counter(
            "conntrail_agent_denials", "Denied first packets told at once, in denials.raw.", registry=registry
        )
        self.dumped = Gauge("conntrail_agent_connections", "Connections in the last dump.", registry=registry)
        self.interrupted = Counter(
            "conntrail_agent_interrupted_dumps", "Dumps during which the kernel's table changed.", registry=registry
        )
        self.sockets = Gauge("conntrail_agent_sockets", "Sockets known of living connections.", registry=registry)
        self.missed_sockets = Counter(
            "conntrail_agent_missed_sockets",
            "Sockets or processes not looked up, by cause.",
            ["cause"],
            registry=registry,
        )
        self.interval_end = Gauge(
            "conntrail_agent_interval_end_timestamp_seconds", "End of the last interval closed.", registry=registry
        )
        self.close_seconds = Histogram(
            "conntrail_agent_close_seconds",
            "Time to close an interval: dump, join, encode, keep.",
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.capability = Gauge(
            "conntrail_agent_capability",
            "1 when the node can see this in full; the log says what is lost otherwise.",
            ["name"],
            registry=registry,
        )

    def note_capabilities(self, capabilities: Iterable[Capability]) -> None:
        """Show what can be seen."""
        for capability in capabilities:
            self.capability.labels(capability.name).set(capability.state == "ok")
