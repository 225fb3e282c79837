"""A saved object as Kibana exports it: one line of JSON, in which some attributes are JSON once more.

The versions are the last that Kibana 8.10 knows, since a later Kibana brings objects up to date as it imports them and
an earlier one refuses them (Kibana, "Import saved objects": the same version, a newer minor, or the next major). They
are those of exports, of Kibana's sources and of the sample data that 9.x installs; none was tried in a Kibana.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["index-pattern", "search", "dashboard"]
Body = dict[str, Any]
PREFIX: Final = "conntrail-"
"""Every id of ours begins with it."""
_VERSIONS: Final[Mapping[Kind, str]] = {"index-pattern": "8.0.0", "search": "8.0.0", "dashboard": "8.9.0"}
_CORE_VERSION: Final = "8.8.0"
_NAMES: Final = uuid.UUID("6f0c1f5e-1c39-5d0e-9b5a-1f3f8f1a7c55")


@dataclass(frozen=True, slots=True)
class Reference:
    """Another object, under the name by which this one speaks of it."""

    kind: Kind
    id: str
    name: str

    def body(self) -> dict[str, str]:
        """As it stands in the object."""
        return {"type": self.kind, "id": self.id, "name": self.name}


@dataclass(frozen=True, slots=True)
class SavedObject:
    """One of ours."""

    kind: Kind
    id: str
    attributes: Body
    references: tuple[Reference, ...] = ()

    def in_space(self, space: str) -> str:
        """Its id there."""
        return self.id.replace(PREFIX, f"{PREFIX}{space}-") if space else self.id

    def body(self) -> Body:
        """As Kibana exports it."""
        return {
            "attributes": self.attributes,
            "coreMigrationVersion": _CORE_VERSION,
            "id": self.id,
            "managed": False,
            "references": [reference.body() for reference in self.references],
            "type": self.kind,
            "typeMigrationVersion": _VERSIONS[self.kind],
        }


def object_id(name: str) -> str:
    """The id of a data view, search or dashboard."""
    return PREFIX + name


def stable_id(*parts: str) -> str:
    """The same at every generation, for what has no name that people see."""
    return str(uuid.uuid5(_NAMES, "/".join(parts)))


def text(value: Any) -> str:
    """JSON within JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def kuery(query: str) -> dict[str, str]:
    """A query in KQL."""
    return {"query": query, "language": "kuery"}


def to_ndjson(objects: Iterable[SavedObject], space: str = "") -> str:
    """What Kibana imports.

    A second space gets ids of its own: Kibana would give objects new ones there, and the links between the pages, which
    are text to it, would lead nowhere.
    """
    lines = (json.dumps(found.body(), ensure_ascii=False, sort_keys=True) + "\n" for found in objects)
    return "".join(line.replace(PREFIX, f"{PREFIX}{space}-") if space else line for line in lines)
