"""Composition root of the cluster agent: a source of objects, the inventory, the topic, the lease."""

import signal
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector

from agents.cluster.alert.processor import AlertEvents
from agents.cluster.alert.reader import AlertTopic
from agents.cluster.api.reader import KubernetesApi
from agents.cluster.audit.server import AuditServer
from agents.cluster.feed.processor import Feed
from agents.cluster.feed.writer import FeedTopics
from agents.cluster.inventory import Inventory
from agents.cluster.lease.claim import Terms
from agents.cluster.lease.writer import LeaseWriter
from agents.cluster.manifest.processor import ManifestSource
from agents.cluster.manifest.reader import ManifestReader
from agents.cluster.metrics import ClusterMetrics
from agents.cluster.session.processor import Session
from agents.cluster.session.source import Source
from agents.cluster.watch.processor import ApiSource
from agents.cluster.writer import ObjectTopic
from agents.errors import AgentError
from runtime.server import StatusServer
from runtime.settings import Settings

_NS_PER_SECOND: Final = 1_000_000_000
_STANDBY_SECONDS: Final = 0.2
_log = structlog.get_logger()


def run(settings: Settings, *, is_check: bool) -> None:
    """Publish until SIGTERM; with ``is_check`` build everything and return. Raises AgentError when it cannot go on."""
    agent = _ClusterAgent(settings)
    if is_check:
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()


class _ClusterAgent:
    """The parts of the process, built but not started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._metrics = ClusterMetrics(self._registry)
        self._topic = ObjectTopic(settings.kafka, settings.schema_registry, self._metrics)
        self._server = AuditServer(settings.audit, self._metrics)
        topics = FeedTopics(settings.kafka, settings.schema_registry, self._metrics)
        self._feed = Feed(settings.cluster, topics, settings.audit, self._server, self._metrics)
        self._session: Session | None = None
        self._lease: LeaseWriter | None = None
        self._alerts: AlertEvents | None = None

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        """Serve, then publish."""
        server = StatusServer(self._settings.http, self._registry, lambda: (), self._faults)
        try:
            server.start()
        except OSError as error:
            raise AgentError(f"{self._settings.http.address}: {error.strerror}: choose another address") from error
        try:
            if self._settings.audit.address:
                self._server.start()
            if self._settings.cluster_agent.manifests:
                self._publish_manifests()
            else:
                self._publish_cluster()
        finally:
            self._server.stop()
            server.stop()

    def _publish_manifests(self) -> None:
        reader = ManifestReader(self._settings.cluster_agent.manifests)
        self._publish(ManifestSource(reader, self._metrics, self._stopping), self._is_running)

    def _publish_cluster(self) -> None:
        """As long as this replica has the lease; then stand by until it has it again."""
        api = KubernetesApi(self._settings.cluster_agent.kubeconfig)
        api.start()
        if self._settings.cluster_agent.alert_events:
            topic = AlertTopic(self._settings.kafka, self._settings.schema_registry, self._metrics)
            self._alerts = AlertEvents(api, topic, self._metrics)
        if not self._settings.cluster_agent.lease_name:
            self._publish(self._followed(api), self._is_running)
            return
        self._lease = lease = LeaseWriter(api, _terms(self._settings))
        lease.start()
        try:
            while self._is_running():
                if term := lease.held_term():
                    self._publish(self._followed(api), self._right_in(lease, term))
                self._stopping.wait(_STANDBY_SECONDS)
        finally:
            lease.stop()

    def _followed(self, api: KubernetesApi) -> ApiSource:
        has_events = self._settings.cluster_agent.events
        return ApiSource(api, self._metrics, self._stopping, has_events=has_events)

    def _right_in(self, lease: LeaseWriter, term: int) -> Callable[[], bool]:
        """Ends with the term, though the next may have begun: meanwhile others may have published."""
        return lambda: lease.held_term() == term and self._is_running()

    def _publish(self, source: Source, may_publish: Callable[[], bool]) -> None:
        delay = int(self._settings.cluster_agent.tombstone_delay * _NS_PER_SECOND)
        inventory = Inventory(self._settings.cluster, delay)
        self._session = Session(inventory, source, self._topic, self._feed, self._metrics, alerts=self._alerts)
        self._metrics.is_leader.set(1)
        try:
            self._session.run(may_publish)
        finally:
            self._metrics.is_leader.set(0)
            self._session = None

    def _is_running(self) -> bool:
        return not self._stopping.is_set()

    def _faults(self) -> list[str]:
        """A replica that stands by is ready: it does what it should."""
        lease, session = self._lease, self._session
        faults = [lease.fault] if lease is not None and lease.fault else []
        if session is not None:
            return faults + session.faults()
        stands_by = lease is not None and not lease.held_term()
        return faults if stands_by else [*faults, "not started yet"]


def _terms(settings: Settings) -> Terms:
    group = settings.cluster_agent
    # Two processes of one host must not take each other for themselves.
    identity = group.identity or f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    return Terms(group.lease_namespace, group.lease_name, identity, group.lease_duration)
