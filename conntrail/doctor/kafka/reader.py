"""Asks Kafka what is there and what we may do; nothing is written or read."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from conntrail.doctor.kafka.judge import KafkaFacts, Operations
from conntrail.errors import CommandError
from runtime.broker.reader import find_topics
from runtime.kafka import BrokerError, client_configuration
from runtime.settings import KafkaSettings

_CLIENT: Final = "conntrail-doctor"
_PATIENCE_SECONDS: Final = 10.0
_ABSENT: Final = KafkaError.UNKNOWN_TOPIC_OR_PART
_REFUSED: Final = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)


def read_kafka(settings: KafkaSettings, topics: Sequence[str], groups: Sequence[str]) -> KafkaFacts:
    """``topics`` and ``groups`` by full name. Raises CommandError when Kafka refuses us or does not answer."""
    try:
        find_topics(settings, _CLIENT, _PATIENCE_SECONDS)
        client = AdminClient({**client_configuration(settings, _CLIENT), "log_level": 0})
        asked = {"include_authorized_operations": True, "request_timeout": _PATIENCE_SECONDS}
        found = {
            name: _operations(answer)
            for name, answer in client.describe_topics(TopicCollection(list(topics)), **asked).items()
        }
        told = client.describe_consumer_groups(list(groups), **asked) if groups else {}
        held = {name: _told_operations(answer) for name, answer in told.items()}
        brokers = len(client.list_topics(timeout=_PATIENCE_SECONDS).brokers)
    except BrokerError as error:
        raise CommandError(str(error)) from error
    except KafkaException as error:
        raise CommandError(f"Kafka at {settings.bootstrap_servers}: {error.args[0].str()}") from error
    return KafkaFacts(settings.topic_prefix, brokers, found, held)


def _operations(answer: "Future[Any]") -> Operations | None:
    """None for what is not there. Raises KafkaException."""
    try:
        described = answer.result(_PATIENCE_SECONDS)
    except KafkaException as error:
        code = error.args[0].code()
        if code == _ABSENT:
            return None
        if code in _REFUSED:
            return frozenset()
        raise
    return frozenset(one.name.lower().replace("_", "-") for one in described.authorized_operations or ())


def _told_operations(answer: "Future[Any]") -> Operations | None:
    """None where the group's coordinator is not there, as on a broker that nobody has used yet."""
    try:
        return _operations(answer)
    except KafkaException:
        return None
