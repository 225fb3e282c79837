"""Which areas are looked at: what is asked for, what a role uses, or what is found here. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from conntrail.doctor.finding import AREAS, Area
from schemas.role import CLUSTER_AGENT, NODE_AGENT, ROLES, Role

_OF_ROLE: Final[dict[str, tuple[Area, ...]]] = {
    NODE_AGENT.name: ("node", "kafka"),  # raw topics carry no frame of a registry
    CLUSTER_AGENT.name: ("cluster", "kafka", "registry"),
}
_OF_OTHERS: Final[tuple[Area, ...]] = ("kafka", "elasticsearch", "registry")
ROLE_NAMES: Final = tuple(role.name for role in ROLES)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is where the command runs."""

    has_rights: bool
    """CAP_NET_ADMIN: this may be a node, seen by who may look at it."""
    has_credentials: bool
    """Of a Kubernetes API server."""
    has_elasticsearch: bool
    """Settings name one."""


def role_of(name: str) -> Role | None:
    """The role of that name; None for none."""
    return next((role for role in ROLES if role.name == name), None)


def choose_areas(asked: Collection[str], role: Role | None, here: Surroundings) -> list[Area]:
    """In their order, each once."""
    if asked:
        return [area for area in AREAS if area in asked]
    if role is not None:
        chosen = _OF_ROLE.get(role.name, _OF_OTHERS)
        return [area for area in AREAS if area in chosen]
    found: dict[Area, bool] = {
        "node": here.has_rights,
        "cluster": here.has_credentials,
        "kafka": True,
        "elasticsearch": here.has_elasticsearch,
        "registry": True,
    }
    return [area for area in AREAS if found[area]]
