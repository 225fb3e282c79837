"""Follows one kind of objects in a thread of its own: watch, go on after a break, list anew after an expiry."""

import queue
import random
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
from agents.cluster.watch.absence import Absence
from agents.errors import AgentError, ExpiredError, MissingError, ReadError, RightsError

_ROOM_SECONDS: Final = 0.5
_SHORT_SECONDS: Final = 1.0
_CAUSES: Final = {ExpiredError: "expired", MissingError: "missing", RightsError: "refused"}
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
        self._told = ""
        self._absence = Absence()
        self.fault = ""
        """Why the kind is not followed; empty when it is."""

    def start(self, version: str, fault: str = "") -> None:
        """Follow from a version on; an empty one lists first. ``fault``: why it could not be listed before."""
        self._version = version
        self.fault = fault
        threading.Thread(target=self._follow, name=f"watch-{self._kind.resource}", daemon=True).start()

    def stop(self) -> None:
        """Say no more; the thread ends with its stream."""
        self._stopping.set()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._list_anew()
                self._watch()
            except AgentError as error:
                self._note_failure(error)
            except Exception as error:  # noqa: BLE001 - else the kind would be followed no more, and nobody told
                self._note_failure(ReadError(f"{self._kind.resource}: {type(error).__name__}: {error}"))

    def _list_anew(self) -> None:
        if self._version:
            return
        objects, version = self._api.list_objects(self._kind)
        self._absence.end()
        self._metrics.listings.labels(self._kind.resource).inc()
        self._put(Listing(self._kind, objects))
        self._version = version

    def _watch(self) -> None:
        began = time.monotonic()
        for event in self._api.watch(self._kind, self._version, self._note_open):
            self._backoff.reset()
            if self._stopping.is_set():
                return
            if event.type != "BOOKMARK":
                self._metrics.events.labels(self._kind.resource).inc()
                self._put(event)
            self._version = event.version or self._version
        # The server ends each watch after a time; one that ended at once did not.
        if time.monotonic() - began < _SHORT_SECONDS:
            self._pause(ReadError(f"watch {self._kind.resource}: ended at once"))
        else:
            self._backoff.reset()

    def _put(self, what: Listing | WatchEvent) -> None:
        told = Told(what, time.time_ns())
        while not self._stopping.is_set():
            try:
                self._out.put(told, timeout=_ROOM_SECONDS)
            except queue.Full:
                continue
            else:
                return

    def _note_failure(self, error: AgentError) -> None:
        if self._stopping.is_set():
            return
        cause = _CAUSES.get(type(error), "error")
        self._metrics.watch_restarts.labels(self._kind.resource, cause).inc()
        if cause == "expired":
            self._version = ""
        else:
            if cause != self._told:
                # Hardly any cluster has every extension.
                is_usual = cause == "missing" and self._kind.is_extension
                tell = _log.debug if is_usual else _log.warning
                tell("not followed for now", kind=self._kind.title, reason=str(error))
            self._told = cause
            self._note_absence(error)
        self._pause(error)

    def _note_absence(self, error: AgentError) -> None:
        if not isinstance(error, MissingError):
            self._absence.end()
            self.fault = str(error)
            return
        self.fault = ""  # what the server does not have cannot be missed
        self._version = ""
        if self._absence.begin_or_go_on(time.monotonic()):
            self._put(Listing(self._kind, []))

    def _pause(self, error: AgentError) -> None:
        self._stopping.wait(self._backoff.next_seconds(error, random.random()))  # noqa: S311 - no secret

    def _note_open(self) -> None:
        if self._told:
            _log.info("followed again", kind=self._kind.title)
        self._told = self.fault = ""
