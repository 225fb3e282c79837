"""Figures of the API."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class SubscriptionCounters:
    """Everything that moves where people subscribe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "conntrail_worker_api_requests", "Requests by status.", ["status"], registry=registry
        )  # fmt: skip
        self.subscribers = Gauge(
            "conntrail_worker_api_subscribers", "Streams that are open.", ["kind"], registry=registry
        )
        self.sent = Counter(
            "conntrail_worker_api_sent_alerts", "Alerts given to subscribers.", ["kind"], registry=registry
        )
        self.slow = Counter(
            "conntrail_worker_api_slow_subscribers", "Streams ended because the reader took nothing for too long.",
            ["kind"],
            registry=registry,
        )  # fmt: skip
