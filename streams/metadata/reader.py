"""Follows the topic of Kubernetes objects.

Whoever is about to name flows first catches up, so names are never older than the question.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.settings import KafkaSettings
from schemas.registry.reader import RegistryReader
from schemas.topic import KUBERNETES_OBJECTS
from streams.compacted.reader import CompactedReader, Reading
from streams.metadata.counters import MetadataCounters
from streams.source.share import RefusalShare

Sink = Callable[[str, Mapping[str, Any] | None], None]
"""Takes the key and the record, or the key and nothing for a tombstone."""


@dataclass(frozen=True, slots=True)
class Takers:
    """Who is given what comes."""

    sinks: tuple[Sink, ...]
    refuse: Callable[[Reading], None]
    """Takes what is no Kubernetes object."""
    share: RefusalShare


class MetadataReader:
    """Gives every record of ``k8s.objects`` to its sinks, in the order of each partition."""

    def __init__(
        self, settings: KafkaSettings, registry: RegistryReader, takers: Takers, counters: MetadataCounters
    ) -> None:
        """Nothing is connected before ``start``."""
        self._log = CompactedReader(settings, registry, KUBERNETES_OBJECTS, counters.errors)
        self._takers = takers
        self._counters = counters

    @property
    def version(self) -> int:
        """How far the log has been taken in: grows, and is the same for all who have read as far."""
        return self._log.version

    def start(self) -> None:
        """Read everything that the topic holds now.

        Raises ReadError when broker or registry do not give it, StreamError when most of it is of no use.
        """
        for readings in self._log.start():
            self._take(readings)
        self._show()

    def catch_up(self) -> None:
        """Take in what has come since; does not wait. While broker or registry are away, what is known stays.

        Raises ReadError when the registry refuses, StreamError when most of what comes is of no use.
        """
        while readings := self._log.take(patience_seconds=0):
            self._take(readings)
        self._show()

    def close(self) -> None:
        """Disconnect."""
        self._log.close()

    def _take(self, readings: list[Reading]) -> None:
        for reading in readings:
            if reading.fault:
                self._counters.unusable.inc()
                self._takers.share.refuse(reading.fault)
                self._takers.refuse(reading)
            else:
                self._counters.records.inc()
                self._takers.share.accept()
                for sink in self._takers.sinks:
                    sink(reading.name, reading.record)
            self._takers.share.check()

    def _show(self) -> None:
        self._counters.refused_share.set(self._takers.share.value)
        self._counters.partitions.set(self._log.partitions)
        self._counters.lag.set(self._log.lag)
