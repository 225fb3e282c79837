"""A directory of manifests as a source of objects."""

import threading
import time
from typing import Final

from agents.cluster.event.record import is_event
from agents.cluster.inventory import Inventory
from agents.cluster.manifest.reader import ManifestReader
from agents.cluster.metrics import ClusterMetrics
from agents.cluster.session.source import Taken

_LOOK_SECONDS: Final = 0.05
_SHARE: Final = 20
"""Looking takes a twentieth of a processor; the time in which others have it tells nothing of the directory's size."""
_LONGEST_PAUSE_SECONDS: Final = 1.0
"""Pods come and go unseen in it: of a very large directory, looking may take more than its share."""


class ManifestSource:
    """Looks at the directory twenty times a second, since pods may live for one."""

    def __init__(self, reader: ManifestReader, metrics: ClusterMetrics, stopping: threading.Event) -> None:
        self._reader = reader
        self._metrics = metrics
        self._stopping = stopping
        self._pause_seconds = 0.0

    def start(self, inventory: Inventory) -> Taken:
        """Read all files."""
        return self.take(inventory) or Taken([], time.time_ns())

    def take(self, inventory: Inventory) -> Taken | None:
        """Look after a pause."""
        self._stopping.wait(self._pause_seconds)
        began = time.thread_time()
        found = self._reader.read()
        self._pause_seconds = _LOOK_SECONDS if found else _pause_after(time.thread_time() - began)
        self._metrics.broken_manifests.inc(self._reader.broken)
        self._reader.broken = 0
        if found is None:
            return None
        updates = inventory.replace(found.objects, found.changed_at_ns)
        return Taken(updates, found.changed_at_ns, [value for value in found.objects if is_event(value)])

    def stop(self) -> None:
        """Nothing is kept open."""

    def faults(self) -> list[str]:
        """Broken files are counted and logged; the others are followed."""
        return []


def _pause_after(look_seconds: float) -> float:
    return min(max(_LOOK_SECONDS, _SHARE * look_seconds), _LONGEST_PAUSE_SECONDS)
