"""One spell of publishing: from what topic and source say at its start to the end of the right to publish."""

import time
from collections.abc import Callable

import structlog

from agents.cluster.alert.processor import AlertEvents
from agents.cluster.feed.processor import Feed
from agents.cluster.inventory import Inventory
from agents.cluster.metrics import ClusterMetrics
from agents.cluster.session.source import Source, Taken
from agents.cluster.writer import ObjectTopic

_NS_PER_SECOND = 1_000_000_000
_log = structlog.get_logger()


class Session:
    """Keeps the topic equal to the source for as long as it may."""

    def __init__(
        self,
        inventory: Inventory,
        source: Source,
        topic: ObjectTopic,
        feed: Feed,
        metrics: ClusterMetrics,
        *,
        alerts: AlertEvents | None = None,
    ) -> None:
        """``alerts`` where they are told as Kubernetes Events."""
        self._inventory = inventory
        self._source = source
        self._topic = topic
        self._feed = feed
        self._metrics = metrics
        self._alerts = alerts
        self._has_listed = False

    def run(self, may_publish: Callable[[], bool]) -> None:
        """Publish until that is no longer allowed. Raises AgentError when it cannot go on."""
        try:
            self._topic.start(may_publish)
            self._feed.start(may_publish)
            for key, record in self._topic.held():
                self._inventory.load(key, record)
            if may_publish():
                self._publish(self._source.start(self._inventory))
                if self._alerts is not None:
                    self._alerts.start()
                self._has_listed = True
            while may_publish():
                taken = self._source.take(self._inventory)
                if taken is not None:
                    self._publish(taken)
                self._feed.step(self._inventory)
                if self._alerts is not None:
                    self._alerts.step(self._inventory)
                self._topic.publish(self._inventory.expire(time.time_ns()))
        finally:
            self._source.stop()
            if self._alerts is not None:
                self._alerts.stop()
            self._feed.stop()
            self._topic.stop()

    def faults(self) -> list[str]:
        """Why the topic may not equal the source at present."""
        waiting = [] if self._has_listed else ["the objects have not been published yet"]
        alerts = [] if self._alerts is None else self._alerts.faults()
        return waiting + self._source.faults() + self._topic.faults() + self._feed.faults() + alerts

    def _publish(self, taken: Taken) -> None:
        self._feed.tell_changes(self._inventory, taken.updates)
        self._topic.publish(taken.updates)
        self._feed.tell_events(self._inventory, taken.events)
        self._metrics.lag_seconds.set(max(0, time.time_ns() - taken.told_at_ns) / _NS_PER_SECOND)
        for kind, count in self._inventory.count().items():
            self._metrics.objects.labels(kind).set(count)
        if taken.updates:
            _log.debug("published", records=len(taken.updates))
