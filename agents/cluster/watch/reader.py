"""Follows one kind of objects in a thread of its own: watch, go on after a break, list anew after an expiry."""

import queue
import threading
import time
from dataclasses import dataclass
from typing import Final

import structlog

from agents.cluster.api.backoff import Backoff
from agents.cluster.api.event import Object, WatchEvent
from agents.cluster.api.reader import KubernetesApi
from agents.cluster.metrics import ClusterMetrics
from agents.cluster.record.kind import Kind
from agents.errors import AgentError, ExpiredError

_ROOM_SECONDS: Final = 0.5
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of one kind."""

    kind: Kind
    objects: list[Object]


@dataclass(frozen=True, slots=True)
class Told:
    """What the API server told, and when, Unix time in ns."""

    what: Listing | WatchEvent
    at_ns: int


class KindWatch:
    """Puts what it hears into a bounded queue: when nobody takes it, the API server is made to wait."""

    def __init__(self, api: KubernetesApi, kind: Kind, out: "queue.Queue[Told]", metrics: ClusterMetrics) -> None:
        self._api = api
        self._kind = kind
        self._out = out
        self._metrics = metrics
        self._version = ""
        self._backoff = Backoff()
        self._stopping = threading.Event()
        self.fault = ""
        """Why the kind is not followed; empty when it is."""

    def start(self, version: str) -> None:
        """Follow from a version on; an empty one lists first."""
        self._version = version
        threading.Thread(target=self._follow, name=f"watch-{self._kind.plural}", daemon=True).start()

    def stop(self) -> None:
        """Say no more; the thread ends with its stream."""
        self._stopping.set()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._list_anew()
                self._watch()
            except ExpiredError:
                self._metrics.watch_restarts.labels(self._kind.plural, "expired").inc()
                self._version = ""
            except AgentError as error:
                self._metrics.watch_restarts.labels(self._kind.plural, "error").inc()
                self._pause(error)

    def _list_anew(self) -> None:
        if self._version:
            return
        objects, version = self._api.list_objects(self._kind)
        self._metrics.listings.labels(self._kind.plural).inc()
        self._put(Listing(self._kind, objects))
        self._version = version

    def _watch(self) -> None:
        began = time.monotonic()
        for event in self._api.watch(self._kind, self._version):
            self._note_success()
            if self._stopping.is_set():
                return
            if event.type != "BOOKMARK":
                self._metrics.events.labels(self._kind.plural).inc()
                self._put(event)
            self._version = event.version or self._version
        # The server ends each watch after a time; one that ended at once did not.
        if time.monotonic() - began < 1.0:
            self._stopping.wait(self._backoff.next_seconds())
        else:
            self._note_success()

    def _put(self, what: Listing | WatchEvent) -> None:
        told = Told(what, time.time_ns())
        while not self._stopping.is_set():
            try:
                self._out.put(told, timeout=_ROOM_SECONDS)
            except queue.Full:
                continue
            else:
                return

    def _pause(self, error: AgentError) -> None:
        if self._stopping.is_set():
            return
        if not self.fault:
            _log.warning("not followed for now", kind=self._kind.name, reason=str(error))
        self.fault = str(error)
        self._stopping.wait(self._backoff.next_seconds())

    def _note_success(self) -> None:
        if self.fault:
            _log.info("followed again", kind=self._kind.name)
        self.fault = ""
        self._backoff.reset()
