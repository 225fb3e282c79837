"""Asks Kafka which users have a SCRAM password."""

from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from conntrail.setup.access.acl.reader import refusal
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings

_PATIENCE_SECONDS: Final = 15.0


def read_users(settings: KafkaSettings, names: Sequence[str]) -> set[str]:
    """Those of the named users that have one. Raises CommandError."""
    client = AdminClient({**client_configuration(settings, "conntrail-setup"), "log_level": 0})
    found: set[str] = set()
    answers: Any = client.describe_user_scram_credentials(list(names), request_timeout=_PATIENCE_SECONDS)
    for name, answer in answers.items():
        try:
            answer.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.RESOURCE_NOT_FOUND:
                raise refusal(settings, error.args[0]) from error
        else:
            found.add(name)
    return found
