"""What a user of Kafka tries, and Kafka's answer: each returns the error's name, or ``done`` where it was let."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

DONE: Final = "done"
_SECONDS: Final = 20.0
Configuration = Mapping[str, Any]
_GROUP: Final = (KafkaError.GROUP_AUTHORIZATION_FAILED,)


def write(user: Configuration, topics: Iterable[str]) -> dict[str, str]:
    """One record each; those that may not be written stay without it."""
    answers: dict[str, str] = {}
    producer = Producer({**user, "log_level": 0, "message.timeout.ms": 15_000})
    for topic in topics:
        producer.produce(
            topic, b"", on_delivery=lambda error, message: answers.update({message.topic() or "": _name(error)})
        )
    producer.flush(_SECONDS)
    return answers


def read(user: Configuration, topics: Iterable[str], group: str) -> dict[str, str]:
    """From the beginning. A topic that it may not even describe has no leader for it that it could ask for records.

    ``group``: one whose coordinator it may ask for, so that it is the topic that is refused.
    """
    consumer = Consumer({**user, "group.id": group, "enable.auto.commit": False, "log_level": 0})
    answers: dict[str, str] = {}
    for topic in topics:
        error = consumer.list_topics(topic, timeout=_SECONDS).topics[topic].error
        answers[topic] = _name(error) if error is not None else _fetched(consumer, topic)
    consumer.close()
    return answers


def _fetched(consumer: Consumer, topic: str) -> str:
    consumer.assign([TopicPartition(topic, 0, 0)])
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.topic() == topic:
            return _name(message.error())
    return "no answer"


def join(user: Configuration, group: str, topic: str) -> str:
    """Become a member of a group."""
    consumer = Consumer({**user, "group.id": group, "enable.auto.commit": False, "log_level": 0})
    joined: list[str] = []
    consumer.subscribe([topic], on_assign=lambda *_: joined.append(DONE))
    deadline = time.monotonic() + _SECONDS
    try:
        while not joined and time.monotonic() < deadline:
            message = consumer.poll(0.2)
            error = message.error() if message is not None else None
            if error is not None and error.code() in _GROUP:
                return _name(error)
        return DONE if joined else "no answer"
    finally:
        consumer.close()


def begin_transaction(user: Configuration, identity: str) -> str:
    """Become the one who writes under a transactional id."""
    producer = Producer({**user, "transactional.id": identity, "log_level": 0})
    try:
        producer.init_transactions(_SECONDS)
    except KafkaException as error:
        return _name(error.args[0])
    return DONE


def create_topic(user: Configuration, name: str) -> str:
    """Of one partition."""
    return _answer(user, lambda admin: admin.create_topics([NewTopic(name, 1, 1)]))


def add_partitions(user: Configuration, name: str, count: int) -> str:
    """Up to so many."""
    return _answer(user, lambda admin: admin.create_partitions([NewPartitions(name, count)]))


def delete_topic(user: Configuration, name: str) -> str:
    """With all that it holds."""
    return _answer(user, lambda admin: admin.delete_topics([name]))


def alter_configuration(user: Configuration, topic: str) -> str:
    """Let a topic forget at once."""
    entry = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    return _answer(user, lambda admin: admin.incremental_alter_configs([resource]))


def allow_itself(user: Configuration, principal: str) -> str:
    """Give itself every right on every topic."""
    binding = AclBinding(
        ResourceType.TOPIC, "*", ResourcePatternType.LITERAL, principal, "*", AclOperation.ALL, AclPermissionType.ALLOW
    )
    return _answer(user, lambda admin: admin.create_acls([binding]))


def _answer(user: Configuration, call: Callable[[AdminClient], Mapping[Any, "Future[Any]"]]) -> str:
    admin = AdminClient({**user, "log_level": 0})
    try:
        for answer in call(admin).values():
            answer.result(_SECONDS)
    except KafkaException as error:
        return _name(error.args[0])
    return DONE


def _name(error: KafkaError | None) -> str:
    return DONE if error is None else str(error.name())
