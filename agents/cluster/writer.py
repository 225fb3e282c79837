"""Publishes updates of the inventory to the compacted topic, and reads back what the topic holds at start."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from agents.cluster.inventory import Update
from agents.cluster.metrics import ClusterMetrics
from agents.errors import WriteError
from runtime.broker.reader import find_partitions, find_topics
from runtime.kafka import BrokerError, client_configuration
from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.errors import DecodeError, RegistryError, SchemaError
from schemas.group import CLUSTER_AGENT
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.single_object import codec_of
from schemas.topic import KUBERNETES_OBJECTS

_PATIENCE_SECONDS: Final = 30.0
_PURGE_SECONDS: Final = 1.0
_BATCH: Final = 1000
_CLIENT: Final = "conntrail-cluster-agent"
_TOO_LARGE: Final = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE)
_log = structlog.get_logger()


class ObjectTopic:
    """The topic ``k8s.objects``. Inert until ``start``."""

    def __init__(self, settings: KafkaSettings, registry: SchemaRegistrySettings, metrics: ClusterMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._name = KUBERNETES_OBJECTS.full_name(settings.topic_prefix)
        self._registry = RegistryReader(registry)
        self._registration = RegistryWriter(self._registry)
        self._codec = codec_of(KUBERNETES_OBJECTS.schema)
        self._producer: Producer | None = None
        self._may_publish: Callable[[], bool] = lambda: False
        self._failure = ""
        self._outage = ""

    def start(self, may_publish: Callable[[], bool]) -> None:
        """Connect. ``may_publish`` is asked while Kafka takes its time.

        Raises WriteError without the topic, or when a schema registry is set and does not take the schema.
        """
        self._may_publish = may_publish
        self._failure = ""
        configuration = {
            **client_configuration(self._settings, _CLIENT),
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "message.timeout.ms": 0,  # never: until Kafka has it, nothing later is sent
            "allow.auto.create.topics": False,
            "reconnect.backoff.max.ms": 5_000,
            "log_level": 0,  # its errors come through error_cb
            "error_cb": self._note_error,
        }
        try:
            if self._name not in find_topics(self._settings, _CLIENT):
                raise WriteError(f"topic {self._name} does not exist, or we may not see it: run `conntrail setup`")
            self._producer = Producer(configuration)
        except BrokerError as error:
            raise WriteError(str(error)) from error
        except (KafkaException, ValueError) as error:
            raise WriteError(f"Kafka at {self._settings.bootstrap_servers}: {_words(error)}") from error
        try:
            self._codec = self._registration.codec(KUBERNETES_OBJECTS, self._settings.topic_prefix)
        except RegistryError as error:
            raise WriteError(str(error)) from error

    def held(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Keys and records that the topic holds, in order. Raises WriteError when the broker stops answering."""
        configuration = {
            **client_configuration(self._settings, _CLIENT),
            "group.id": self._settings.topic_prefix + CLUSTER_AGENT,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            # Where a partition ends only the broker can say: what stood at its last offsets may be compacted away.
            "enable.partition.eof": True,
            "log_level": 0,
        }
        consumer = Consumer(configuration)
        try:
            partitions = find_partitions(consumer, self._name)
            consumer.assign([TopicPartition(self._name, number, OFFSET_BEGINNING) for number in partitions])
            yield from self._read_to_end(consumer, len(partitions))
        except KafkaException as error:
            raise WriteError(f"reading {self._name}: {_words(error)}") from error
        finally:
            consumer.close()

    def publish(self, updates: Iterable[Update]) -> None:
        """Send, in order, and wait until the broker has everything, or until nothing may be published any more.

        Raises WriteError when the broker refuses.
        """
        assert self._producer is not None, "start comes first"
        sent = 0
        for update in updates:
            if not self._may_publish():
                break
            sent += self._send(self._producer, update)
        while len(self._producer) and not self._failure and self._may_publish():
            self._producer.flush(0.1)
        if self._failure:
            raise WriteError(f"Kafka refused an object: {self._failure}")
        if sent and not len(self._producer):
            self._outage = ""
            self._metrics.published.inc(sent)
            self._metrics.confirmed_at.set_to_current_time()

    def stop(self) -> None:
        """Let go; what Kafka has not confirmed is given up, since the next session compares with the topic anyway."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(_PURGE_SECONDS)
            self._producer = None

    def faults(self) -> list[str]:
        """Why records do not get through."""
        return [self._outage] if self._outage else []

    def _send(self, producer: Producer, update: Update) -> int:
        """Number of records sent: none when the record fits neither schema nor topic."""
        try:
            value = None if update.record is None else self._codec.encode(update.record)
            while self._may_publish():
                try:
                    producer.produce(self._name, value, update.key.encode(), on_delivery=self._note)
                except BufferError:
                    producer.poll(0.1)
                else:
                    return 1
        except SchemaError as error:
            self._give_up(update, str(error))
        except KafkaException as error:
            if error.args[0].code() not in _TOO_LARGE:
                raise WriteError(f"Kafka refused an object: {_words(error)}") from error
            self._give_up(update, _words(error))
        return 0

    def _give_up(self, update: Update, reason: str) -> None:
        self._metrics.unpublishable.inc()
        _log.error("object cannot be published", key=update.key, reason=reason)

    def _read_to_end(self, consumer: Consumer, partitions: int) -> Iterator[tuple[str, dict[str, Any] | None]]:
        ended: set[int | None] = set()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while len(ended) < partitions and self._may_publish():
            for message in consumer.consume(_BATCH, timeout=0.2):
                deadline = time.monotonic() + _PATIENCE_SECONDS
                error = message.error()
                if error is None:
                    yield from self._decoded(message)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
                    ended.add(message.partition())
                else:
                    raise WriteError(f"reading {self._name}: {error.str()}")
            if time.monotonic() > deadline:
                raise WriteError(f"reading {self._name}: nothing came for {_PATIENCE_SECONDS:.0f} s")

    def _decoded(self, message: Message) -> Iterator[tuple[str, dict[str, Any] | None]]:
        try:
            value = message.value()
            record = None if value is None else self._registry.decode(self._codec, value, _PATIENCE_SECONDS)
            yield (message.key() or b"").decode(), record
        except (DecodeError, UnicodeDecodeError) as error:
            _log.warning("the topic holds an unusable record", offset=message.offset(), reason=str(error))
        except RegistryError as error:
            raise WriteError(f"reading {self._name}: {error}") from error

    def _note(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None and error.code() != KafkaError._PURGE_QUEUE:  # noqa: SLF001 - librdkafka's name
            self._failure = error.str()

    def _note_error(self, error: KafkaError) -> None:
        """What librdkafka reports by itself: an outage, which it mends, unless it is fatal."""
        if error.fatal():
            self._failure = error.str()
        elif error.code() == KafkaError._ALL_BROKERS_DOWN and not self._outage:  # noqa: SLF001 - the same
            self._outage = f"Kafka: {error.str()}"
            _log.warning(self._outage)


def _words(error: Exception) -> str:
    cause = error.args[0] if error.args else error
    return cause.str() if isinstance(cause, KafkaError) else str(cause)
