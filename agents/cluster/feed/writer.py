"""Publishes what happened, beside the objects: events, audit events, changes, and dead letters of the audit log."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from agents.cluster.metrics import ClusterMetrics
from agents.cluster.record.slim import Record
from agents.errors import WriteError
from runtime.broker.reader import find_partitions, find_topics
from runtime.kafka import BrokerError, client_configuration
from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.errors import DecodeError, RegistryError, SchemaError
from schemas.group import CLUSTER_AGENT
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.single_object import SingleObjectCodec
from schemas.topic import CHANGES, DEAD_LETTER, KUBERNETES_AUDIT, KUBERNETES_EVENTS, Topic

TOPICS: Final = (KUBERNETES_EVENTS, KUBERNETES_AUDIT, CHANGES, DEAD_LETTER)
_CLIENT: Final = "conntrail-cluster-agent"
_QUEUE_KILOBYTES: Final = 32 << 10
_PURGE_SECONDS: Final = 1.0
_FLUSH_SECONDS: Final = 0.1
_ASK_SECONDS: Final = 10.0
_TAIL_MESSAGES: Final = 10_000
"""Of a partition."""
_log = structlog.get_logger()


class FeedTopics:
    """Inert until ``start``. A topic that is not there is done without: an older installation lacks it."""

    def __init__(self, settings: KafkaSettings, registry: SchemaRegistrySettings, metrics: ClusterMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._registry = RegistryReader(registry)
        self._registration = RegistryWriter(self._registry)
        self._codecs: dict[str, SingleObjectCodec] = {}
        self._producer: Producer | None = None
        self._may_publish: Callable[[], bool] = lambda: False
        self._failures = 0

    def start(self, may_publish: Callable[[], bool]) -> None:
        """Connect. ``may_publish`` is asked while Kafka takes its time. Raises WriteError when Kafka refuses."""
        self._may_publish = may_publish
        configuration: dict[str, Any] = {
            **client_configuration(self._settings, _CLIENT),
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "message.timeout.ms": 0,  # never: what is not there yet is told as such
            "queue.buffering.max.kbytes": _QUEUE_KILOBYTES,
            "allow.auto.create.topics": False,
            "reconnect.backoff.max.ms": 5_000,
            "log_level": 0,  # the object topic's client tells of an outage
        }
        try:
            there = find_topics(self._settings, _CLIENT)
            self._producer = Producer(configuration)
            self._codecs = {topic.name: self._codec(topic) for topic in TOPICS if self._full(topic) in there}
        except (BrokerError, RegistryError) as error:
            raise WriteError(str(error)) from error
        except (KafkaException, ValueError) as error:
            raise WriteError(f"Kafka at {self._settings.bootstrap_servers}: {error}") from error
        missing = [self._full(topic) for topic in TOPICS if not self.has(topic)]
        if missing:
            _log.warning("topics do not exist, so nothing is told there: run `conntrail setup`", topics=missing)

    def has(self, topic: Topic) -> bool:
        """Whether the topic is there."""
        return topic.name in self._codecs

    def send(self, topic: Topic, key: str, record: Record) -> bool:
        """Queue a record, waiting for room; False when there is no such topic, or it is not taken."""
        codec = self._codecs.get(topic.name)
        if codec is None or self._producer is None:
            return False
        try:
            value = codec.encode(record)
            while self._may_publish():
                try:
                    self._producer.produce(self._full(topic), value, key.encode(), on_delivery=self._note)
                except BufferError:
                    self._producer.poll(_FLUSH_SECONDS)
                else:
                    self._metrics.told.labels(topic.name).inc()
                    return True
        except (SchemaError, KafkaException, UnicodeError) as error:
            self._metrics.untold.labels(topic.name).inc()
            _log.error("record cannot be published", topic=topic.name, reason=str(error))
        return False

    def flush(self, patience_seconds: float | None = None) -> bool:
        """Wait until Kafka has all that was sent; without a patience as long as we may publish.

        False when it has not, or has refused some.
        """
        if self._producer is None:
            return False
        failures, waited = self._failures, 0.0
        while len(self._producer) and self._may_publish():
            if patience_seconds is not None and waited >= patience_seconds:
                return False
            self._producer.flush(_FLUSH_SECONDS)
            waited += _FLUSH_SECONDS
        return not len(self._producer) and failures == self._failures

    def stop(self) -> None:
        """Let go; what Kafka has not confirmed is given up and told again by the next session."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(_PURGE_SECONDS)
            self._producer = None

    def told_events(self) -> Iterator[Record]:
        """The end of k8s.events: what need not be told again. Nothing when it cannot be read."""
        if not self.has(KUBERNETES_EVENTS):
            return
        name = self._full(KUBERNETES_EVENTS)
        consumer = Consumer(
            {
                **client_configuration(self._settings, _CLIENT),
                "group.id": self._settings.topic_prefix + CLUSTER_AGENT,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )
        try:
            tails = [self._tail(consumer, name, number) for number in find_partitions(consumer, name)]
            consumer.assign(tails)
            yield from self._read(consumer, len(tails))
        except KafkaException as error:
            _log.warning("events may be told twice", reason=str(error))
        finally:
            consumer.close()

    def _tail(self, consumer: Consumer, name: str, number: int) -> TopicPartition:
        low, high = consumer.get_watermark_offsets(TopicPartition(name, number), timeout=_ASK_SECONDS)
        return TopicPartition(name, number, max(low, high - _TAIL_MESSAGES))

    def _read(self, consumer: Consumer, partitions: int) -> Iterator[Record]:
        codec, ended = self._codecs[KUBERNETES_EVENTS.name], 0
        while ended < partitions and self._may_publish():
            messages = consumer.consume(1000, timeout=_ASK_SECONDS)
            if not messages:
                return
            for message in messages:
                error, value = message.error(), message.value()
                if error is not None:
                    ended += error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - librdkafka's name
                elif value is not None:
                    try:
                        yield self._registry.decode(codec, value, _ASK_SECONDS)
                    except (DecodeError, RegistryError):
                        continue  # it is told again, which changes nothing

    def _codec(self, topic: Topic) -> SingleObjectCodec:
        return self._registration.codec(topic, self._settings.topic_prefix)

    def _full(self, topic: Topic) -> str:
        return topic.full_name(self._settings.topic_prefix)

    def _note(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None and error.code() != KafkaError._PURGE_QUEUE:  # noqa: SLF001 - librdkafka's name
            self._failures += 1
            _log.error("Kafka refused a record", reason=error.str())
