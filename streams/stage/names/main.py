"""What names and judges: the log of Kubernetes objects, read for all stages of a process."""

import time

import structlog

from schemas.topic import KUBERNETES_OBJECTS
from streams.compacted.reader import Reading
from streams.metadata.counters import MetadataCounters
from streams.metadata.reader import MetadataReader, Takers
from streams.metadata.writer import DeadLetterWriter
from streams.policy.knowledge import Knowledge, Names
from streams.policy.processor import PolicyWatch
from streams.result.deadletter import Refused, dead_letter
from streams.stage.main import Process

_log = structlog.get_logger()


class NameSource:
    """The log of Kubernetes objects, read into what is known of the cluster."""

    def __init__(self, process: Process) -> None:
        settings = process.settings
        counters = MetadataCounters(process.registry)
        self._cluster = settings.cluster
        self._letters = DeadLetterWriter(settings.kafka, process.registration, counters)
        self._knowledge = Knowledge()
        self._watch = PolicyWatch(process.registry)
        takers = Takers((self._knowledge.apply,), self._refuse, process.share(process.name(KUBERNETES_OBJECTS)))
        self._reader = MetadataReader(settings.kafka, process.schemas, takers, counters)

    def start(self) -> None:
        """Read all of it. Raises StreamError."""
        self._letters.start()
        _log.info("reading metadata")
        self._reader.start()

    def names(self) -> Names:
        """With what came since the last time."""
        self._reader.catch_up()
        now_ns = time.time_ns()
        policies = self._knowledge.changed_policies(now_ns)
        if policies is not None:
            self._watch.note(policies)
        return self._knowledge.names(now_ns, self._reader.version)

    def _refuse(self, reading: Reading) -> None:
        refused = Refused("metadata", reading.fault, *reading[:5])
        self._letters.send(reading.topic, dead_letter(self._cluster, refused, time.time_ns()))
