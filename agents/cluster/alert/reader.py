"""Reads the topic of alerts from where the last holder of the lease was; who is new begins with what comes."""

from collections import deque
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from agents.cluster.metrics import ClusterMetrics
from agents.errors import ReadError
from runtime.broker.reader import find_topics
from runtime.kafka import BrokerError, client_configuration
from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.errors import DecodeError, RegistryAwayError, RegistryError
from schemas.group import CLUSTER_AGENT_ALERTS
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import ALERTS

_CLIENT: Final = "conntrail-cluster-agent"
_PATIENCE_SECONDS: Final = 30.0
_log = structlog.get_logger()


class AlertTopic:
    """Inert until ``start``. Of a consumer group without members: the lease says who reads."""

    def __init__(self, settings: KafkaSettings, registry: SchemaRegistrySettings, metrics: ClusterMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._name = ALERTS.full_name(settings.topic_prefix)
        self._codec = codec_of(ALERTS.schema)
        self._registry = RegistryReader(registry)
        self._consumer: Consumer | None = None
        self._pending: deque[Message] = deque()
        """Fetched and not taken yet: what a registry has to explain first stays while that is away."""
        self._read: dict[int, int] = {}

    def start(self) -> None:
        """Connect. Raises ReadError; without the topic there is nothing to read."""
        group = self._settings.topic_prefix + CLUSTER_AGENT_ALERTS
        configuration: dict[str, Any] = {
            **client_configuration(self._settings, _CLIENT),
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "log_level": 0,  # the object topic's client tells of an outage
        }
        try:
            topics = find_topics(self._settings, _CLIENT)
            if self._name not in topics:
                _log.warning("no alerts are told as events: run `conntrail setup`", topic=self._name)
                return
            self._consumer = Consumer(configuration)
            self._consumer.assign([self._position(self._consumer, number) for number in topics[self._name].partitions])
        except (BrokerError, KafkaException) as error:
            raise ReadError(f"topic {self._name}: {error}") from error

    def take(self, count: int) -> list[dict[str, Any]]:
        """What has come, at once. Raises ReadError when the registry has to be asked first and does not answer."""
        if self._consumer is None:
            return []
        if not self._pending:
            self._pending.extend(self._consumer.consume(count, timeout=0))
        found: list[dict[str, Any]] = []
        try:
            while self._pending:
                found += self._taken(self._pending[0])
                self._pending.popleft()
        except RegistryAwayError as error:
            if not found:
                raise ReadError(str(error)) from error
        return found

    def confirm(self) -> None:
        """What was taken has been told. Raises ReadError."""
        if self._consumer is None or not self._read:
            return
        offsets = [TopicPartition(self._name, number, offset) for number, offset in self._read.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise ReadError(f"progress of {self._name}: {error.args[0].str()}") from error
        self._read = {}

    def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
        self._pending.clear()
        self._read = {}

    def _position(self, consumer: Consumer, partition: int) -> TopicPartition:
        """Committed, or the end, which is committed so that nothing is passed over when we end before the first."""
        place = TopicPartition(self._name, partition)
        committed = consumer.committed([place], timeout=_PATIENCE_SECONDS)[0]
        if committed.offset >= 0:
            return TopicPartition(self._name, partition, committed.offset)
        _, end = consumer.get_watermark_offsets(place, timeout=_PATIENCE_SECONDS)
        fresh = TopicPartition(self._name, partition, end)
        consumer.commit(offsets=[fresh], asynchronous=False)
        return fresh

    def _taken(self, message: Message) -> list[dict[str, Any]]:
        error = message.error()
        if error is not None:
            self._note(error)
            return []
        found = self._decoded(message.value())
        self._read[message.partition() or 0] = (message.offset() or 0) + 1
        return found

    def _decoded(self, value: bytes | None) -> list[dict[str, Any]]:
        """Without patience: objects are published by the same thread."""
        if value is None:
            return []
        try:
            return [self._registry.decode(self._codec, value)]
        except RegistryAwayError:
            raise
        except (DecodeError, RegistryError) as error:
            self._metrics.alert_events.labels("unreadable").inc()
            _log.warning("an alert cannot be read", reason=str(error))
            return []

    def _note(self, error: KafkaError) -> None:
        _log.warning("alerts", error=error.str())
