"""Reads what the alerts stage wrote down of itself, from the compacted topic ``alerts.state``."""

import time
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from runtime.broker.reader import find_partitions
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas import group
from schemas.errors import RegistryError
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import ALERT_STATE
from streams.errors import ReadError

_PATIENCE_SECONDS: Final = 30.0
_BATCH_MESSAGES: Final = 5_000
_POLL_SECONDS: Final = 0.2


class StateReader:
    """Blocking: call it in a thread."""

    def __init__(self, settings: KafkaSettings, registry: RegistryReader) -> None:
        self._topic = ALERT_STATE.full_name(settings.topic_prefix)
        self._codec = codec_of(ALERT_STATE.schema)
        self._registry = registry
        self._configuration = {
            **client_configuration(settings, "conntrail-alerts-state"),
            "group.id": settings.topic_prefix + group.ALERT_STATE,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,  # what fails is an error of the call that needed it
        }

    def read(self) -> dict[str, bytes]:
        """Entries by key, as the last committed transaction left them.

        Raises ReadError when the broker does not give them or the registry tells no schema, DecodeError when one is
        none of ours.
        """
        consumer = Consumer(self._configuration)
        try:
            return self._read(consumer)
        except KafkaException as error:
            raise ReadError(f"topic {self._topic}: {error.args[0].str()}") from error
        except RegistryError as error:
            raise ReadError(f"topic {self._topic}: {error}") from error
        finally:
            consumer.close()

    def _read(self, consumer: Consumer) -> dict[str, bytes]:
        unread = find_partitions(consumer, self._topic)
        consumer.assign([TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in unread])
        entries: dict[str, bytes] = {}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while unread:
            messages = consumer.consume(_BATCH_MESSAGES, _POLL_SECONDS)
            if messages:
                deadline = time.monotonic() + _PATIENCE_SECONDS
            elif time.monotonic() > deadline:
                raise ReadError(f"topic {self._topic}: nothing came for {_PATIENCE_SECONDS:.0f} s")
            for message in messages:
                error = message.error()
                if error is None:
                    self._apply(entries, message.key(), message.value())
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    unread.discard(message.partition())
                else:
                    raise KafkaException(error)
        return entries

    def _apply(self, entries: dict[str, bytes], key: bytes | None, value: bytes | None) -> None:
        name = (key or b"").decode("utf-8", "replace")
        if value is None:
            entries.pop(name, None)
        else:
            entries[name] = self._registry.decode(self._codec, value, _PATIENCE_SECONDS)["data"]
