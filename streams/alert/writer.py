"""Writes alerts, the state that they came of and the positions of what they were made of in one transaction.

So a worker that is killed in between leaves nothing of it, and whoever goes on doubles nothing and loses nothing. The
transactional id is that of the cluster: who begins to write fences whoever wrote before (KIP-98).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.errors import RegistryError
from schemas.registry.writer import RegistryWriter
from schemas.single_object import SingleObjectCodec
from schemas.topic import ALERT_STATE, ALERTS, DEAD_LETTER, Topic
from streams.errors import StreamError, WriteError

_TOPICS: Final = (ALERTS, ALERT_STATE, DEAD_LETTER)
_PATIENCE_SECONDS: Final = 30.0
_TRANSACTION_MS: Final = 60_000
_FENCED: Final = (
    KafkaError._FENCED,  # noqa: SLF001 - its public name
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
)
_RIGHTS: Final = (
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
)


class FencedError(WriteError):
    """Another worker makes the alerts now."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is written at once."""

    alerts: Sequence[Mapping[str, Any]] = ()
    state: Mapping[str, bytes | None] = field(default_factory=dict)
    """By key; None for what is gone."""
    dead_letters: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """With the topic that they are of."""


class AlertWriter:
    """Blocking: call it in one thread."""

    def __init__(self, settings: KafkaSettings, cluster: str, registration: RegistryWriter) -> None:
        """``registration`` says how records are framed."""
        self._prefix = settings.topic_prefix
        self._cluster = cluster
        self._registration = registration
        self._codecs: dict[str, SingleObjectCodec] = {}
        self._configuration = {
            **client_configuration(settings, "conntrail-alerts"),
            "transactional.id": f"{settings.topic_prefix}alerts-{cluster}",
            "transaction.timeout.ms": _TRANSACTION_MS,
            "compression.type": "lz4",
            "linger.ms": 5,
            "log_level": 0,  # what fails is an error of the call that needed it
        }
        self._producer: Producer | None = None

    def start(self) -> None:
        """Become the one who writes. Raises WriteError, or StreamError when Kafka refuses us for good."""
        try:
            self._codecs = {topic.name: self._registration.codec(topic, self._prefix) for topic in _TOPICS}
            self._producer = Producer(self._configuration)
            self._producer.init_transactions(_PATIENCE_SECONDS)
        except RegistryError as error:
            raise WriteError(str(error)) from error
        except KafkaException as error:
            raise fault_of(error.args[0]) from error

    def commit(self, step: Step) -> None:
        """All of it, or nothing.

        Raises FencedError when somebody else has begun to write, WriteError when it may go well another time,
        StreamError when Kafka refuses us for good.
        """
        producer = self._producer
        assert producer is not None, "start comes first"
        try:
            producer.begin_transaction()
            self._produce(ALERTS, ((str(alert["id"]), dict(alert)) for alert in step.alerts))
            self._produce(DEAD_LETTER, ((topic, dict(letter)) for topic, letter in step.dead_letters))
            entries = ((key, None if data is None else self._entry(data)) for key, data in step.state.items())
            self._produce(ALERT_STATE, entries)
            producer.commit_transaction(_PATIENCE_SECONDS)
        except KafkaException as error:
            raise fault_of(error.args[0]) from error

    def close(self) -> None:
        """What was begun and not committed is nothing."""
        self._producer = None

    def _produce(self, topic: Topic, records: Iterable[tuple[str, dict[str, Any] | None]]) -> None:
        assert self._producer is not None
        name, codec = topic.full_name(self._prefix), self._codecs[topic.name]
        for key, record in records:
            value = None if record is None else codec.encode(record)
            while True:
                try:
                    self._producer.produce(name, value, key.encode())
                except BufferError:
                    self._producer.poll(0.1)
                else:
                    break
            self._producer.poll(0)

    def _entry(self, data: bytes) -> dict[str, Any]:
        return {"cluster": self._cluster, "data": data}


def fault_of(error: KafkaError) -> StreamError:
    """What an error of Kafka's means for us."""
    text = f"alerts cannot be written: {error.str()}"
    if error.code() in _FENCED:
        return FencedError(text)
    return (
        StreamError(f"{text}: give the worker's Kafka user that right") if error.code() in _RIGHTS else WriteError(text)
    )
