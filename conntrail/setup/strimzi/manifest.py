"""KafkaTopic and KafkaUser manifests from the tables of topics and roles. Pure.

Source: Strimzi documentation, "Custom resource API reference", kafka.strimzi.io/v1: KafkaTopicSpec, KafkaUserSpec,
AclRule.
"""

from collections.abc import Iterable
from typing import Any, Final

from runtime.settings import AccessSettings, KafkaSettings
from schemas.right import Operation, ResourceType, Right, rights_of
from schemas.role import Role
from schemas.topic import Topic

CLUSTER: Final = "conntrail"
"""What the ``Kafka`` resource is called; an overlay that calls it otherwise changes the label."""
_VERSION: Final = "kafka.strimzi.io/v1"
_TYPES: Final[dict[ResourceType, str]] = {
    "topic": "topic",
    "group": "group",
    "transactional-id": "transactionalId",
}
_OPERATIONS: Final[dict[Operation, str]] = {
    "read": "Read",
    "write": "Write",
    "describe": "Describe",
    "create": "Create",
    "alter": "Alter",
    "describe-configs": "DescribeConfigs",
}
Manifest = dict[str, Any]


def topic_manifests(topics: Iterable[Topic], settings: KafkaSettings) -> list[Manifest]:
    """A topic each. How many copies it has is the cluster's ``default.replication.factor``."""
    return [_topic(topic, settings) for topic in topics]


def user_manifests(roles: Iterable[Role], kafka: KafkaSettings, access: AccessSettings) -> list[Manifest]:
    """A user each, whose password the operator makes and puts into a Secret of the same name."""
    return [_user(role, kafka, access) for role in roles]


def _topic(topic: Topic, settings: KafkaSettings) -> Manifest:
    configuration: dict[str, str | int] = {
        name: int(value) if value.isdigit() else value for name, value in topic.configuration().items()
    }
    name = topic.full_name(settings.topic_prefix)
    return _manifest("KafkaTopic", name, {"partitions": settings.partitions, "config": configuration})


def _user(role: Role, kafka: KafkaSettings, access: AccessSettings) -> Manifest:
    rules = [_rule(right) for right in rights_of(role, kafka.topic_prefix)]
    spec = {
        "authentication": {"type": "scram-sha-512"},
        "authorization": {"type": "simple", "acls": rules},
    }
    return _manifest("KafkaUser", access.user_of(role.name), spec)


def _rule(right: Right) -> Manifest:
    pattern = "prefix" if right.is_prefix else "literal"
    resource = {"type": _TYPES[right.resource], "name": right.name, "patternType": pattern}
    return {"resource": resource, "operations": [_OPERATIONS[operation] for operation in right.operations]}


def _manifest(kind: str, name: str, spec: Manifest) -> Manifest:
    metadata = {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}}
    return {"apiVersion": _VERSION, "kind": kind, "metadata": metadata, "spec": spec}
