"""One spell of publishing: from what topic and source say at its start to the end of the right to publish."""

import time
from collections.abc import Callable

import structlog

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
        metrics: ClusterMetrics,
        may_publish: Callable[[], bool],
    ) -> None:
        self._inventory = inventory
        self._source = source
        self._topic = topic
        self._metrics = metrics
        self._may_publish = may_publish
        self._has_listed = False

    def run(self) -> None:
        """Publish until that is no longer allowed. Raises AgentError when it cannot go on."""
        try:
            self._topic.start(self._may_publish)
            for key, record in self._topic.held():
                self._inventory.load(key, record)
            if self._may_publish():
                self._publish(self._source.start(self._inventory))
                self._has_listed = True
            while self._may_publish():
                taken = self._source.take(self._inventory)
                if taken is not None:
                    self._publish(taken)
                self._topic.publish(self._inventory.expire(time.time_ns()))
        finally:
            self._source.stop()
            self._topic.stop()

    def faults(self) -> list[str]:
        """Why the topic may not equal the source at present."""
        waiting = [] if self._has_listed else ["the objects have not been published yet"]
        return waiting + self._source.faults() + self._topic.faults()

    def _publish(self, taken: Taken) -> None:
        self._topic.publish(taken.changes)
        self._metrics.lag_seconds.set(max(0, time.time_ns() - taken.told_at_ns) / _NS_PER_SECOND)
        for kind, count in self._inventory.count().items():
            self._metrics.objects.labels(kind).set(count)
        if taken.changes:
            _log.debug("published", records=len(taken.changes))
