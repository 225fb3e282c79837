"""The page of roles of the documentation, made from the roles themselves. Pure."""

from collections.abc import Iterable
from typing import Final

from schemas.right import Right, rights_of
from schemas.role import ROLES, STAGE_ROLES, Role
from streams.index.privilege import Privileges, privileges

_HEAD: Final = """\
# Roles

What each user of an installation may do in Kafka and Elasticsearch, and nothing else ([how to set it up](security.md)).
Names are those of the default settings: every topic, group and transaction begins with `CONNTRAIL_KAFKA__TOPIC_PREFIX`,
every index has `CONNTRAIL_ELASTICSEARCH__NAMESPACE` in its name. To read or to write is to describe, too, in Kafka.

This page is made by `python -m conntrail.setup.access > docs/roles.md`.
"""
_STAGES: Final = """\
## Workers of one stage

A worker that runs some stages needs the rights of these alone. `conntrail setup --access` makes one user for all.
"""


def page(prefix: str, namespace: str) -> str:
    """Markdown of all roles, and of the parts of which a worker's is made."""
    granted = privileges(namespace)
    roles = [_section(role, prefix, granted.get(role.name)) for role in ROLES]
    stages = [f"### {role.name}\n\n{_table(rights_of(role, prefix))}" for role in STAGE_ROLES]
    return "\n".join([_HEAD, *roles, _STAGES, *stages])


def _section(role: Role, prefix: str, granted: Privileges | None) -> str:
    text = f"## {role.name}\n\nFor {role.who}.\n\n{_table(rights_of(role, prefix))}"
    return text if granted is None else f"{text}\n{_elasticsearch(granted)}"


def _table(rights: Iterable[Right]) -> str:
    """A row for each kind of resource and operations."""
    rows: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        name = f"`{right.name}*`" if right.is_prefix else f"`{right.name}`"
        rows.setdefault((right.resource, ", ".join(right.operations)), []).append(name)
    lines = [f"| {resource} | {operations} | {', '.join(names)} |" for (resource, operations), names in rows.items()]
    return "\n".join(["| Kafka | may | names |", "|---|---|---|", *lines, ""])


def _elasticsearch(granted: Privileges) -> str:
    rows: list[tuple[str, list[str], list[str]]] = [("cluster", granted["cluster"], [])] if granted["cluster"] else []
    rows += [("index", entry["privileges"], entry["names"]) for entry in granted["indices"]]
    lines = [f"| {kind} | {_code(words)} | {_code(names)} |" for kind, words, names in rows]
    return "\n".join(["| Elasticsearch | privileges | names |", "|---|---|---|", *lines, ""])


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
