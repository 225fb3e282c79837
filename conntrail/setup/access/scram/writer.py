"""Gives Kafka users SCRAM passwords, of which Kafka keeps salted hashes alone (RFC 5802)."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs lack them
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from conntrail.setup.access.acl.reader import refusal
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings

_PATIENCE_SECONDS: Final = 30.0
_ITERATIONS: Final = 4096
"""Kafka's least; a generated password cannot be guessed at any number."""


def write_users(settings: KafkaSettings, passwords: Mapping[str, str]) -> None:
    """By user. Raises CommandError when Kafka refuses."""
    if not passwords:
        return
    client = AdminClient({**client_configuration(settings, "conntrail-setup"), "log_level": 0})
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
    wanted: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(name, info, password.encode()) for name, password in passwords.items()
    ]
    for answer in client.alter_user_scram_credentials(wanted, request_timeout=_PATIENCE_SECONDS).values():
        try:
            answer.result()
        except KafkaException as error:
            raise refusal(settings, error.args[0]) from error
