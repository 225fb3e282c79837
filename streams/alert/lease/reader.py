"""Says which of several workers makes the alerts: who is assigned the first partition of ``alerts.state``.

Causes and groups need the whole cluster in one place. The messages themselves are not read here, so the partitions
stay paused; that two hold the lease for a moment harms nothing, since only the latest may write (writer.py).
"""

from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.topic import ALERT_STATE
from streams.errors import ReadError

_SESSION_MS: Final = 10_000
"""A worker that died is replaced after that."""
_log = structlog.get_logger()


class Lease:
    """Blocking, and not thread-safe: one thread asks ``is_held`` at least every few minutes."""

    def __init__(self, settings: KafkaSettings, group: str, identity: str) -> None:
        """``group`` of all workers; ``identity`` of this one: after a quick restart it holds the lease as before."""
        self._topic = ALERT_STATE.full_name(settings.topic_prefix)
        self._configuration = {
            **client_configuration(settings, group),
            "group.id": group,
            "group.instance.id": identity,
            "enable.auto.commit": False,
            "session.timeout.ms": _SESSION_MS,
            "partition.assignment.strategy": "range",
            "log_level": 0,  # its errors come through error_cb
            "error_cb": _note_error,
        }
        self._consumer: Consumer | None = None
        self._is_held = False
        self.is_assigned = False
        """Kafka has said whether we hold it."""

    def is_held(self, wait_seconds: float = 0.0) -> bool:
        """Whether it is ours now. Raises ReadError when Kafka does not let us ask."""
        try:
            if self._consumer is None:
                self._consumer = Consumer(self._configuration)
                self._consumer.subscribe(
                    [self._topic], on_assign=self._note_assigned, on_revoke=self._note_lost, on_lost=self._note_lost
                )
            message = self._consumer.poll(wait_seconds)
        except KafkaException as error:
            raise ReadError(f"lease of the alerts: {error.args[0].str()}") from error
        fault = message.error() if message is not None else None
        if fault is not None and not fault.retriable():
            raise ReadError(f"lease of the alerts: {fault.str()}")
        return self._is_held

    def close(self) -> None:
        """Give it back."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
        self._is_held = False

    def _note_assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign(partitions)
        consumer.pause(partitions)
        self._is_held = any(partition.partition == 0 for partition in partitions)
        self.is_assigned = True

    def _note_lost(self, *_: Any) -> None:
        self._is_held = False


def _note_error(error: KafkaError) -> None:
    _log.warning("kafka", error=error.str())
