"""Follows one kind of objects in a thread of its own: watch, go on after a break, list anew after an expiry."""

import math
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
from agents.errors import AgentError, ExpiredError, MissingError, ReadError, RightsError

_ROOM_SECONDS: Final = 0.5
_SHORT_SECONDS: Final = 1.0
_GONE_SECONDS: Final = 60.0
"""An API server that starts has no extensions for a moment; a kind that is missing for longer is gone, and its objects
with it."""
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
        self._missing_since: float | None = None
        self.fault = ""
        """Why the kind is not followed; empty when it is."""

    def start(self, version: str, fault: str = "") -> None:
        """Follow from a version on; an empty one lists first. ``fault``: why it could not be listed before."""
        self._version = version
        self.fault = fault
        threading.Thread(target=self._follow, name=f"watch-{self._kind.plural}", daemon=True).start()

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
                self._note_failure(ReadError(f"{self._kind.plural}: {type(error).__name__}: {error}"))

    def _list_anew(self) -> None:
        if self._version:
            return
        objects, version = self._api.list_objects(self._kind)
        self._missing_since = None
        self._metrics.listings.labels(self._kind.plural).inc()
        self._put(Listing(self._kind, objects))
        self._version = version

    def _watch(self) -> None:
        began = time.monotonic()
        for event in self._api.watch(self._kind, self._version, self._note_open):
            self._backoff.reset()
            if self._stopping.is_set():
                return
            if event.type != "BOOKMARK":
                self._metrics.events.labels(self._kind.plural).inc()
                self._put(event)
            self._version = event.version or self._version
        # The server ends each watch after a time; one that ended at once did not.
        if time.monotonic() - began < _SHORT_SECONDS:
            self._pause(ReadError(f"watch {self._kind.plural}: ended at once"))
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
        self._metrics.watch_restarts.labels(self._kind.plural, cause).inc()
        if cause == "expired":
            self._version = ""
        else:
            if cause != self._told:
                _log.warning("not followed for now", kind=self._kind.name, reason=str(error))
            self._told = cause
            # What the server does not have cannot be missed.
            self.fault = "" if cause == "missing" else str(error)
            self._note_missing(is_missing=cause == "missing")
        self._pause(error)

    def _note_missing(self, *, is_missing: bool) -> None:
        now = time.monotonic()
        if not is_missing:
            self._missing_since = None
        elif self._missing_since is None:
            self._missing_since = now
        elif now - self._missing_since >= _GONE_SECONDS:
            self._put(Listing(self._kind, []))
            self._missing_since = math.inf
        if is_missing:
            self._version = ""

    def _pause(self, error: AgentError) -> None:
        self._stopping.wait(self._backoff.next_seconds(error, random.random()))  # noqa: S311 - no secret

    def _note_open(self) -> None:
        if self._told:
            _log.info("followed again", kind=self._kind.name)
        self._told = self.fault = ""
