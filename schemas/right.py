"""Roles in the words of Kafka's access control lists. Pure.

Source: Apache Kafka documentation, "Authorization and ACLs", table of operations and protocols. An idempotent producer
needs no right beyond writing to a topic since Kafka 3.0 (KIP-679); creating topics by their beginning is KIP-277.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from schemas.role import Role

ResourceType = Literal["topic", "group", "transactional-id"]
Operation = Literal["read", "write", "describe", "create", "alter", "describe-configs"]
ANY: Final = "*"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """Operations on what is called so, or on all that begins so. To read or write is to describe, too."""

    resource: ResourceType
    name: str
    is_prefix: bool
    operations: tuple[Operation, ...]


def rights_of(role: Role, prefix: str) -> tuple[Right, ...]:
    """In the order of their names; ``prefix`` is that of the installation."""
    return tuple(sorted(_rights(role, prefix)))


def _rights(role: Role, prefix: str) -> Iterator[Right]:
    for topic in {topic.name: topic for topic in (*role.reads, *role.writes)}.values():
        operations: list[Operation] = []
        if topic in role.reads:
            operations.append("read")
        if topic in role.writes:
            operations.append("write")
        yield Right("topic", topic.full_name(prefix), is_prefix=False, operations=tuple(operations))
    for name in role.groups:
        yield Right("group", prefix + name, is_prefix=False, operations=("read",))
    for name in role.named_groups:
        yield Right("group", prefix + name, is_prefix=False, operations=("describe",))
    for name in role.transactions:
        yield Right("transactional-id", prefix + name, is_prefix=True, operations=("write",))
    if role.makes_topics:
        # Without a prefix every topic of the cluster could be one of ours.
        name, is_prefix = (prefix, True) if prefix else (ANY, False)
        yield Right("topic", name, is_prefix, ("create", "alter", "describe", "describe-configs"))
