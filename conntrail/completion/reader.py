"""Reads the keys of the topic of Kubernetes objects, within a moment: a shell waits for the answer."""

import time
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from conntrail.completion.names import fitting, names_of
from runtime.kafka import client_configuration
from runtime.reader import read_settings
from runtime.settings import KafkaSettings, SettingsError
from schemas.group import COMPLETION
from schemas.topic import KUBERNETES_OBJECTS

PATIENCE_SECONDS: Final = 2.0
_BATCH: Final = 1000
_POLL_SECONDS: Final = 0.1


def complete_names(kind: str, typed: str) -> list[str]:
    """Names that fit; none when settings or broker give none, as a shell has nowhere to show why."""
    try:
        return fitting(names_of(kind, read_keys(read_settings().kafka)), typed)
    except SettingsError:
        return []


def read_keys(settings: KafkaSettings, patience_seconds: float = PATIENCE_SECONDS) -> set[str]:
    """``Kind/namespace/name`` of what is there, as far as it comes in time; none while the broker is away."""
    deadline = time.monotonic() + patience_seconds
    try:
        consumer = Consumer(
            {
                **client_configuration(settings, "conntrail-completion"),
                "group.id": settings.topic_prefix + COMPLETION,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "log_level": 0,
                "error_cb": lambda _: None,
            }
        )
    except (KafkaException, ValueError):
        return set()
    try:
        return _read(consumer, KUBERNETES_OBJECTS.full_name(settings.topic_prefix), deadline)
    except KafkaException:
        return set()
    finally:
        consumer.close()


def _read(consumer: Consumer, topic: str, deadline: float) -> set[str]:
    metadata = consumer.list_topics(topic, timeout=max(deadline - time.monotonic(), _POLL_SECONDS)).topics[topic]
    if metadata.error is not None:
        return set()
    unread = set(metadata.partitions)
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in unread])
    found: set[str] = set()
    while unread and time.monotonic() < deadline:
        for message in consumer.consume(_BATCH, timeout=_POLL_SECONDS):
            _take(message, unread, found)
    return found


def _take(message: Any, unread: set[int], found: set[str]) -> None:
    error = message.error()
    if error is not None:
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
            unread.discard(message.partition())
        return
    key = (message.key() or b"").decode(errors="replace")
    if message.value() is None:
        found.discard(key)
    else:
        found.add(key)
