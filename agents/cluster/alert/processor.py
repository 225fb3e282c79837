"""Tells alerts as Kubernetes Events, at least once: what was told is confirmed only when the API server has it."""

import time
from collections import OrderedDict, deque
from typing import Any, Final

import structlog

from agents.cluster.alert.reader import AlertTopic
from agents.cluster.alert.record import AlertEvent, alert_events
from agents.cluster.api.reader import KubernetesApi
from agents.cluster.inventory import Inventory
from agents.cluster.metrics import ClusterMetrics
from agents.errors import AgentError, ConflictError, MissingError, RefusedError

_TOGETHER: Final = 20
"""At once, so that objects are not kept waiting by many alerts."""
_TOLD: Final = 10_000
_AGAIN_SECONDS: Final = 5.0
_log = structlog.get_logger()


class AlertEvents:
    """Of one session. Inert until ``start``."""

    def __init__(self, api: KubernetesApi, topic: AlertTopic, metrics: ClusterMetrics) -> None:
        self._api = api
        self._topic = topic
        self._metrics = metrics
        self._waiting: deque[AlertEvent] = deque()
        self._told: OrderedDict[str, None] = OrderedDict()
        self._not_before = 0.0
        self._fault = ""

    def start(self) -> None:
        """Connect. Raises ReadError."""
        self._waiting.clear()
        self._topic.start()

    def stop(self) -> None:
        """Disconnect; what waits is read again by whoever has the lease next."""
        self._topic.stop()

    def faults(self) -> list[str]:
        """Why alerts may not be told as events."""
        return [self._fault] if self._fault else []

    def step(self, inventory: Inventory) -> None:
        """Tell what has come; what fails is tried again later, and nothing is read before."""
        if time.monotonic() < self._not_before:
            return
        try:
            if not self._waiting:
                self._take(inventory)
            self._tell()
            self._topic.confirm()
            self._fault = ""
        except AgentError as error:
            if str(error) != self._fault:
                _log.warning("alerts are not told as events", reason=str(error))
            self._fault = str(error)
            self._not_before = time.monotonic() + _AGAIN_SECONDS

    def _take(self, inventory: Inventory) -> None:
        for alert in self._topic.take(_TOGETHER):
            made = alert_events(inventory, alert, time.time_ns())
            if not made:
                self._metrics.alert_events.labels("without_object").inc()
            self._waiting.extend(event for event in made if event.name not in self._told)

    def _tell(self) -> None:
        while self._waiting:
            event = self._waiting[0]
            outcome = self._send(event)
            self._metrics.alert_events.labels(outcome).inc()
            self._told[event.name] = None
            if len(self._told) > _TOLD:
                self._told.popitem(last=False)
            self._waiting.popleft()

    def _send(self, event: AlertEvent) -> str:
        """What became of it. Raises ReadError or RightsError when the API server may take it later."""
        path = f"/api/v1/namespaces/{event.namespace}/events"
        body: dict[str, Any] = event.body
        try:
            self._api.request("POST", path, ("create", "events"), [], body)
        except ConflictError:
            return "known"
        except (MissingError, RefusedError) as error:  # missing: the namespace is gone
            _log.warning("an alert is refused as an event", reason=str(error))
            return "refused"
        return "told"
