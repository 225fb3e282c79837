"""Which entries of Kafka's access control lists are missing, and which are more than a role needs. Pure.

An entry that is too many is named and left alone: somebody may have meant it.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from conntrail.setup.change import Change
from schemas.right import Right

_KIND = "access control"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One entry that allows: Kafka keeps one for each operation."""

    principal: str
    resource: str
    name: str
    is_prefix: bool
    operation: str


@dataclass(frozen=True, slots=True)
class AclPlan:
    """Entries to make, and what is said of each principal's rights."""

    created: tuple[Entry, ...]
    changes: tuple[Change, ...]


def entries_of(principal: str, right: Right) -> tuple[Entry, ...]:
    """Those that give it the right."""
    return tuple(
        Entry(principal, right.resource, right.name, right.is_prefix, operation) for operation in right.operations
    )


def plan_entries(rights: Mapping[str, Iterable[Right]], existing: AbstractSet[Entry]) -> AclPlan:
    """``rights`` by principal; ``existing``: those of these principals."""
    created: list[Entry] = []
    changes: list[Change] = []
    for principal, wanted in rights.items():
        allowed: set[Entry] = set()
        for right in wanted:
            entries = entries_of(principal, right)
            allowed.update(entries)
            missing = [entry for entry in entries if entry not in existing]
            created += missing
            changes.append(Change("create" if missing else "keep", _KIND, principal, _words(right)))
        changes += [
            _extra(entry) for entry in sorted(existing) if entry.principal == principal and entry not in allowed
        ]
    return AclPlan(tuple(created), tuple(changes))


def _words(right: Right) -> str:
    return f"{', '.join(right.operations)} {right.resource} {_pattern(right.name, right.is_prefix)}"


def _extra(entry: Entry) -> Change:
    what = f"{entry.operation} {entry.resource} {_pattern(entry.name, entry.is_prefix)}"
    return Change("differs", _KIND, entry.principal, f"{what}: more than it needs; remove it with kafka-acls.sh")


def _pattern(name: str, is_prefix: bool) -> str:
    return f"{name}*" if is_prefix else name
