"""Reads the cluster as it is now: from the topic of Kubernetes objects, or from files."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from conntrail.errors import CommandError
from conntrail.policy.cluster.build import build_snapshot
from conntrail.policy.cluster.manifest import records_of
from conntrail.policy.cluster.snapshot import Record, Snapshot
from conntrail.policy.reader import read_objects
from runtime.settings import Settings
from schemas.registry.reader import RegistryReader
from schemas.topic import KUBERNETES_OBJECTS
from streams.compacted.reader import Reading
from streams.errors import ReadError
from streams.metadata.counters import MetadataCounters
from streams.metadata.reader import MetadataReader, Takers
from streams.source.share import RefusalShare


class _Newest:
    """The newest record of each key; the order of the log is not always that of time."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._records: dict[str, Record] = {}
        self.unusable = 0

    def apply(self, key: str, record: Mapping[str, Any] | None) -> None:
        if record is None:
            self._records.pop(key, None)
            return
        before = self._records.get(key)
        if record["cluster"] == self._cluster and (
            before is None or before["observed_at_ns"] <= record["observed_at_ns"]
        ):
            self._records[key] = record

    def refuse(self, _reading: Reading) -> None:
        self.unusable += 1

    def records(self) -> Iterable[Record]:
        return self._records.values()


def read_cluster(settings: Settings, files: list[Path] | None) -> Snapshot:
    """From ``files`` when there are any, else from Kafka. Raises CommandError that says what is missing."""
    if files:
        return build_snapshot(records_of(read_objects(files), settings.cluster, time.time_ns()))
    newest = _Newest(settings.cluster)
    reader = MetadataReader(
        settings.kafka,
        RegistryReader(settings.schema_registry),
        Takers((newest.apply,), newest.refuse, RefusalShare(KUBERNETES_OBJECTS.name, limit=1)),
        MetadataCounters(CollectorRegistry()),
    )
    try:
        reader.start()
    except ReadError as error:
        raise CommandError(f"{error}: run conntrail setup and conntrail cluster-agent, or give -f OBJECTS") from error
    finally:
        reader.close()
    records = list(newest.records())
    if not records:
        raise CommandError(
            f"no objects of cluster {settings.cluster!r} in Kafka: "
            "run conntrail cluster-agent, set CONNTRAIL_CLUSTER, or give -f OBJECTS"
        )
    notes = (f"INCOMPLETE: {newest.unusable} Kubernetes objects cannot be read",) if newest.unusable else ()
    return build_snapshot(records, notes)
