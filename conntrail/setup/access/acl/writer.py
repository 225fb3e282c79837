"""Adds entries to Kafka's access control lists."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs lack them
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from conntrail.setup.access.acl.plan import Entry
from conntrail.setup.access.acl.reader import refusal
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings

_PATIENCE_SECONDS: Final = 30.0


def write_entries(settings: KafkaSettings, entries: Sequence[Entry]) -> None:
    """Add them. Raises CommandError when Kafka refuses."""
    if not entries:
        return
    client = AdminClient({**client_configuration(settings, "conntrail-setup"), "log_level": 0})
    answers = client.create_acls([_binding(entry) for entry in entries], request_timeout=_PATIENCE_SECONDS)
    for answer in answers.values():
        try:
            answer.result()
        except KafkaException as error:
            raise refusal(settings, error.args[0]) from error


def _binding(entry: Entry) -> AclBinding:
    return AclBinding(
        ResourceType[_constant(entry.resource)],
        entry.name,
        ResourcePatternType.PREFIXED if entry.is_prefix else ResourcePatternType.LITERAL,
        entry.principal,
        "*",
        AclOperation[_constant(entry.operation)],
        AclPermissionType.ALLOW,
    )


def _constant(word: str) -> str:
    return word.upper().replace("-", "_")
