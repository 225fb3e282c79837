"""An API server as a source of objects: one listing of all kinds, then a watch of each."""

import queue
import random
import threading
import time
from typing import Final

import structlog

from agents.cluster.api.backoff import Backoff
from agents.cluster.api.event import Object
from agents.cluster.api.reader import KubernetesApi
from agents.cluster.inventory import Inventory, Update
from agents.cluster.metrics import ClusterMetrics
from agents.cluster.record.kind import EVENT, KINDS, Kind
from agents.cluster.session.source import Taken
from agents.cluster.watch.reader import KindWatch, Listing, Told
from agents.errors import MissingError, ReadError, RightsError

_QUEUE: Final = 4096
_BATCH: Final = 1000
_WAIT_SECONDS: Final = 0.1
_log = structlog.get_logger()


class ApiSource:
    """Follows all kinds. For one session; a new session needs a new one."""

    def __init__(
        self, api: KubernetesApi, metrics: ClusterMetrics, stopping: threading.Event, *, has_events: bool = False
    ) -> None:
        """``has_events``: follow Kubernetes Events too."""
        self._api = api
        self._metrics = metrics
        self._stopping = stopping
        self._queue: queue.Queue[Told] = queue.Queue(_QUEUE)
        self._watches = {kind: KindWatch(api, kind, self._queue, metrics) for kind in KINDS}
        # A queue of their own: a storm of events must not hold up objects.
        self._event_queue: queue.Queue[Told] = queue.Queue(_QUEUE)
        self._event_watch = KindWatch(api, EVENT, self._event_queue, metrics) if has_events else None
        self._fault = ""

    def start(self, inventory: Inventory) -> Taken:
        """List all kinds, waiting for the API server while it is away. Raises RightsError when none may be listed."""
        objects: list[Object] = []
        versions: dict[Kind, str] = {}
        refusals: dict[Kind, RightsError] = {}
        told_at_ns = time.time_ns()
        for kind in KINDS:
            try:
                found, versions[kind] = self._list(kind)
            except RightsError as error:
                found, versions[kind] = [], ""
                refusals[kind] = error
            objects += found
        if self._stopping.is_set():
            return Taken([], told_at_ns)
        if refusals and not any(versions.values()):
            raise next(iter(refusals.values()))
        # What cannot be listed is not known to be gone.
        listed = frozenset(kind.title for kind in KINDS if versions[kind])
        updates = inventory.replace(objects, time.time_ns(), listed)
        for kind, watch in self._watches.items():
            watch.start(versions[kind], str(refusals.get(kind, "")))
        if self._event_watch is not None:
            self._event_watch.start("")
        return Taken(updates, told_at_ns)

    def take(self, inventory: Inventory) -> Taken | None:
        """Take in what has been told, in its order."""
        told, events = _drain(self._queue, _WAIT_SECONDS), _drain(self._event_queue, 0)
        if not told and not events:
            return None
        updates: list[Update] = []
        for one in told:
            updates += _apply(inventory, one)
        return Taken(updates, (told or events)[0].at_ns, [value for one in events for value in _events(one)])

    def stop(self) -> None:
        """End all watches."""
        for watch in self._watches.values():
            watch.stop()
        if self._event_watch is not None:
            self._event_watch.stop()
        self._api.interrupt()

    def faults(self) -> list[str]:
        """Kinds that are not followed at present, and why; not events, without which names are right all the same."""
        return [fault for fault in (self._fault, *(watch.fault for watch in self._watches.values())) if fault]

    def _list(self, kind: Kind) -> tuple[list[Object], str]:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                found = self._api.list_objects(kind)
            except RightsError:
                raise
            except MissingError:
                # Its watch tells, and asks again from time to time.
                return [], ""
            except ReadError as error:
                if not self._fault:
                    _log.warning("waiting for the API server", reason=str(error))
                self._fault = str(error)
                self._stopping.wait(backoff.next_seconds(error, random.random()))  # noqa: S311 - no secret
            else:
                self._fault = ""
                self._metrics.listings.labels(kind.resource).inc()
                return found
        return [], ""


def _drain(told: "queue.Queue[Told]", wait_seconds: float) -> list[Told]:
    found: list[Told] = []
    try:
        found.append(told.get(timeout=wait_seconds) if wait_seconds else told.get_nowait())
        while len(found) < _BATCH:
            found.append(told.get_nowait())
    except queue.Empty:
        pass
    return found


def _events(told: Told) -> list[Object]:
    """Events do not end: that one is deleted is no news."""
    if isinstance(told.what, Listing):
        return told.what.objects
    return [] if told.what.type == "DELETED" else [told.what.value]


def _apply(inventory: Inventory, told: Told) -> list[Update]:
    if isinstance(told.what, Listing):
        return inventory.replace(told.what.objects, told.at_ns, frozenset({told.what.kind.title}))
    if told.what.type == "DELETED":
        return inventory.remove(told.what.value, told.at_ns)
    return inventory.apply(told.what.value, told.at_ns)
