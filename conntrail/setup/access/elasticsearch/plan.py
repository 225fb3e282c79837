"""Which roles and API keys Elasticsearch lacks. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from conntrail.setup.change import Act, Change

_ROLE: Final = "role"
_KEY: Final = "API key"
Privileges = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KnownAccess:
    """What there is under our names."""

    roles: Mapping[str, Privileges]
    keys: Mapping[str, Privileges]
    """Privileges of each valid key."""


@dataclass(frozen=True, slots=True)
class AccessPlan:
    """Roles to put and keys to make, by name, and what is said of each."""

    roles: Mapping[str, Privileges]
    keys: Mapping[str, Privileges]
    changes: tuple[Change, ...]


def plan_access(wanted: Mapping[str, Privileges], known: KnownAccess, *, has_keys: bool) -> AccessPlan:
    """``wanted``: privileges by name; ``has_keys``: make keys, as somebody keeps what is told of one only once."""
    roles: dict[str, Privileges] = {}
    keys: dict[str, Privileges] = {}
    changes: list[Change] = []
    for name, privileges in wanted.items():
        act = _act(privileges, known.roles.get(name))
        if act != "keep":
            roles[name] = privileges
        changes.append(Change(act, _ROLE, name, _words(privileges)))
        if has_keys and name not in known.keys:
            keys[name] = privileges
            changes.append(Change("create", _KEY, name))
        elif has_keys and _act(privileges, known.keys[name]) == "update":
            detail = "with other privileges than this release needs: invalidate it and run this again for a new one"
            changes.append(Change("differs", _KEY, name, detail))
        elif has_keys:
            changes.append(Change("keep", _KEY, name, "told when it was made; invalidate it for a new one"))
    return AccessPlan(roles, keys, tuple(changes))


def _act(wanted: Privileges, found: Privileges | None) -> Act:
    if found is None:
        return "create"
    return "keep" if _sorted(found) == _sorted(wanted) else "update"


def _sorted(privileges: Privileges) -> tuple[object, ...]:
    """Elasticsearch keeps neither order nor what we do not say."""
    indices = [
        (tuple(sorted(entry["names"])), tuple(sorted(entry["privileges"]))) for entry in privileges.get("indices", [])
    ]
    return tuple(sorted(privileges.get("cluster", []))), tuple(sorted(indices))


def _words(privileges: Privileges) -> str:
    granted = [*privileges["cluster"], *(name for entry in privileges["indices"] for name in entry["privileges"])]
    return ", ".join(granted)
