"""Composition root of the cluster agent: a source of objects, the inventory, the topic."""

import signal
import threading
import time
from collections.abc import Iterable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector

from agents.cluster.inventory import Change, Inventory
from agents.cluster.manifest.reader import ManifestReader
from agents.cluster.metrics import ClusterMetrics
from agents.cluster.writer import ObjectTopic
from runtime.server import StatusServer
from runtime.settings import Settings

_LOOK_SECONDS: Final = 0.1
_NS_PER_SECOND: Final = 1_000_000_000
_log = structlog.get_logger()


def run(settings: Settings, is_check: bool) -> None:
    """Publish until SIGTERM. Raises AgentError when it cannot go on."""
    agent = _ClusterAgent(settings)
    if is_check:
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    agent.run(stop)


class _ClusterAgent:
    """The parts of the process, built but not started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._metrics = ClusterMetrics(self._registry)
        self._topic = ObjectTopic(settings.kafka)
        delay = int(settings.cluster_agent.tombstone_delay * _NS_PER_SECOND)
        self._inventory = Inventory(settings.cluster, delay)
        self._manifests = ManifestReader(settings.cluster_agent.manifests)
        self._has_listed = False

    def run(self, stop: threading.Event) -> None:
        """Read what the topic holds, then follow the source."""
        server = StatusServer(self._settings.http, self._registry, lambda: (), self._unready)
        self._topic.start()
        server.start()
        for key, record in self._topic.held():
            self._inventory.load(key, record)
        self._follow_manifests(stop)
        server.stop()

    def _follow_manifests(self, stop: threading.Event) -> None:
        while not stop.is_set():
            objects = self._manifests.read()
            if objects is not None:
                self._publish(self._inventory.replace(objects, time.time_ns()))
                self._metrics.broken_manifests.inc(self._manifests.broken)
                self._manifests.broken = 0
                self._has_listed = True
            self._publish(self._inventory.expire(time.time_ns()))
            stop.wait(_LOOK_SECONDS)

    def _publish(self, changes: list[Change]) -> None:
        if not changes:
            return
        self._topic.publish(changes)
        self._metrics.published.inc(len(changes))
        for kind, count in self._inventory.count().items():
            self._metrics.objects.labels(kind).set(count)
        _log.debug("published", records=len(changes))

    def _unready(self) -> Iterable[str]:
        if not self._has_listed:
            yield "the objects have not been listed yet"
