"""Writes results to Kafka through librdkafka: many messages in flight, and a point at which all are delivered."""

import asyncio
from typing import Any

import structlog
from confluent_kafka import KafkaError, Message, Producer

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.errors import RegistryError
from schemas.registry.writer import RegistryWriter
from schemas.single_object import SingleObjectCodec
from schemas.topic import Topic
from streams.errors import WriteError

_QUEUE_MESSAGES = 200_000
_FLUSH_SECONDS = 5.0
_YIELD_EVERY = 500
_log = structlog.get_logger()


class ResultWriter:
    """Encodes records and produces them; ``delivered`` returns when the broker has all of them."""

    def __init__(
        self, settings: KafkaSettings, client_id: str, topics: tuple[Topic, ...], registration: RegistryWriter
    ) -> None:
        """``registration`` says how records are framed."""
        self._configuration = {
            **client_configuration(settings, client_id),
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": _QUEUE_MESSAGES,
            # Results wait for the broker as long as it takes: what is not delivered is not acknowledged either.
            "message.timeout.ms": 0,
            "log_level": 0,  # its errors come through error_cb
            "error_cb": self._note_error,
        }
        self._topics = topics
        self._prefix = settings.topic_prefix
        self._registration = registration
        self._codecs: dict[str, SingleObjectCodec] = {}
        self._names = {topic.name: topic.full_name(settings.topic_prefix) for topic in topics}
        self._producer: Producer | None = None
        self._failure: str | None = None
        self._count = 0

    def start(self) -> None:
        """Connect. Raises WriteError when a schema registry is set and does not take the schemas."""
        try:
            self._codecs = {topic.name: self._registration.codec(topic, self._prefix) for topic in self._topics}
        except RegistryError as error:
            raise WriteError(str(error)) from error
        self._producer = Producer(self._configuration)

    async def send(self, topic: Topic, key: str, record: dict[str, Any]) -> None:
        """Queue a record, waiting while the queue is full. Raises SchemaError when the record does not fit."""
        value = self._codecs[topic.name].encode(record)
        self._count += 1
        if self._count % _YIELD_EVERY == 0:
            self._connected().poll(0)
            await asyncio.sleep(0)
        while True:
            try:
                self._connected().produce(self._names[topic.name], value, key.encode(), on_delivery=self._note_delivery)
            except BufferError:
                await asyncio.to_thread(self._connected().poll, 0.1)
            else:
                return

    async def delivered(self) -> None:
        """Wait until the broker has everything. Raises WriteError when it refused something for good."""
        while len(self._connected()):
            await asyncio.to_thread(self._connected().flush, _FLUSH_SECONDS)
            if self._failure:
                break
        if self._failure:
            raise WriteError(f"Kafka refused a result: {self._failure}")

    def _connected(self) -> Producer:
        if self._producer is None:
            raise WriteError("the result writer was not started")
        return self._producer

    def _note_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = f"{message.topic()}: {error.str()}"

    def _note_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._failure = error.str()
        _log.warning("kafka", error=error.str())
