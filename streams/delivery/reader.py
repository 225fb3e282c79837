"""Asks Kafka which of several workers is to send."""

from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.topic import ALERTS
from streams.errors import ReadError

_SESSION_MS: Final = 10_000
_FIRST: Final = 0


class Leadership:
    """Of the workers that could send, the one to which a consumer group gives the first partition. Nothing is read."""

    def __init__(self, settings: KafkaSettings, group: str, identity: str) -> None:
        self._topic = ALERTS.full_name(settings.topic_prefix)
        self._configuration: dict[str, Any] = {
            **client_configuration(settings, group),
            "group.id": group,
            # The same worker started anew takes over at once, without waiting for the end of its earlier session.
            "group.instance.id": identity,
            "session.timeout.ms": _SESSION_MS,
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "log_level": 0,
        }
        self._consumer: Consumer | None = None
        self.is_held = False

    def start(self) -> None:
        """Ask. Raises ReadError."""
        try:
            self._consumer = Consumer(self._configuration)
            self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._lost, on_lost=self._lost)
        except KafkaException as error:
            raise ReadError(f"group of {self._topic}: {error.args[0].str()}") from error

    def poll(self, seconds: float) -> None:
        """Stay in the group; call it again and again, in a thread."""
        assert self._consumer is not None, "start comes first"
        self._consumer.poll(seconds)

    def close(self) -> None:
        """Leave."""
        self.is_held = False
        if self._consumer is not None:
            self._consumer.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign(partitions)
        if partitions:
            consumer.pause(partitions)
        self.is_held = any(partition.partition == _FIRST for partition in partitions)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if any(partition.partition == _FIRST for partition in partitions):
            self.is_held = False
