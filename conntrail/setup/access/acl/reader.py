"""Reads the entries of Kafka's access control lists."""

from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs lack them
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from conntrail.errors import CommandError
from conntrail.setup.access.acl.plan import Entry
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings

_PATIENCE_SECONDS: Final = 15.0
_ADVICE: Final = {
    KafkaError.SECURITY_DISABLED: "it has no authoriser: set authorizer.class.name to "
    "org.apache.kafka.metadata.authorizer.StandardAuthorizer on every node, then run this again",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "be a super user, or one that may alter and describe the cluster, "
    "by CONNTRAIL_KAFKA__SASL_USERNAME",
}


def read_entries(settings: KafkaSettings, principals: Iterable[str]) -> set[Entry]:
    """Those that allow these principals something from anywhere. Raises CommandError."""
    client = AdminClient({**client_configuration(settings, "conntrail-setup"), "log_level": 0})
    found: set[Entry] = set()
    try:
        for principal in principals:
            any_name: Any = None  # which its stubs do not take
            wanted = AclBindingFilter(
                ResourceType.ANY, any_name, ResourcePatternType.ANY, principal, "*", AclOperation.ANY,
                AclPermissionType.ALLOW,
            )  # fmt: skip
            bindings = client.describe_acls(wanted, request_timeout=_PATIENCE_SECONDS).result()
            found |= {
                Entry(
                    principal,
                    _word(binding.restype.name),
                    binding.name,
                    binding.resource_pattern_type == ResourcePatternType.PREFIXED,
                    _word(binding.operation.name),
                )
                for binding in bindings
            }
    except KafkaException as error:
        raise refusal(settings, error.args[0]) from error
    return found


def refusal(settings: KafkaSettings, error: KafkaError) -> CommandError:
    """What an error means for who sets up access."""
    reason = _ADVICE.get(error.code()) or error.str()
    return CommandError(f"Kafka at {settings.bootstrap_servers} does not take access control: {reason}")


def _word(name: str) -> str:
    return name.lower().replace("_", "-")
