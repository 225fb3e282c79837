"""Sends what is no metadata to the topic of dead letters. Connects when there is something to send, which is rare."""

from typing import Any, Final

import structlog
from confluent_kafka import KafkaError, Message, Producer

from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.errors import RegistryError
from schemas.registry.writer import RegistryWriter
from schemas.single_object import codec_of
from schemas.topic import DEAD_LETTER
from streams.errors import WriteError
from streams.metadata.counters import MetadataCounters

_QUEUE_MESSAGES: Final = 10_000
_QUEUE_KILOBYTES: Final = 16 << 10
_FLUSH_SECONDS: Final = 5.0
_log = structlog.get_logger()


class DeadLetterWriter:
    """Never waits and never fails: what cannot be sent is counted."""

    def __init__(self, settings: KafkaSettings, registration: RegistryWriter, counters: MetadataCounters) -> None:
        """``registration`` says how records are framed."""
        self._prefix = settings.topic_prefix
        self._topic = DEAD_LETTER.full_name(settings.topic_prefix)
        self._codec = codec_of(DEAD_LETTER.schema)
        self._registration = registration
        self._counters = counters
        self._configuration = {
            **client_configuration(settings, "conntrail-metadata"),
            "compression.type": "lz4",
            "queue.buffering.max.messages": _QUEUE_MESSAGES,
            "queue.buffering.max.kbytes": _QUEUE_KILOBYTES,
            "log_level": 0,  # what is not delivered is told letter by letter
        }
        self._producer: Producer | None = None

    def start(self) -> None:
        """Find out how records are framed. Raises WriteError when a schema registry is set and does not take ours."""
        try:
            self._codec = self._registration.codec(DEAD_LETTER, self._prefix)
        except RegistryError as error:
            raise WriteError(str(error)) from error

    def send(self, key: str, record: dict[str, Any]) -> None:
        """Queue a DeadLetter."""
        if self._producer is None:
            self._producer = Producer(self._configuration)
        try:
            self._producer.produce(self._topic, self._codec.encode(record), key.encode(), on_delivery=self._note)
        except BufferError:
            self._counters.unsent.inc()
        self._producer.poll(0)

    def close(self) -> None:
        """Send what is queued, as far as that goes in a few seconds."""
        if self._producer is not None:
            self._counters.unsent.inc(self._producer.flush(_FLUSH_SECONDS))

    def _note(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._counters.unsent.inc()
            _log.warning("a dead letter was not delivered", error=error.str())
