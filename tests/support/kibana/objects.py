"""The generated objects as Kibana would find them after the import, read back from their own lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.kibana.lens import Layer

Body = dict[str, Any]
FILE = Path(__file__).parents[3] / "deploy/kibana/conntrail.ndjson"
_LAYER = "indexpattern-datasource-layer-"


@dataclass(frozen=True)
class Panel:
    """One tile of a dashboard."""

    page: str
    body: Body
    references: dict[str, str]
    """Ids by the names that the panel uses."""

    @property
    def title(self) -> str:
        return f"{self.page}: {self.body.get('title', '')}"

    @property
    def kind(self) -> str:
        return str(self.body["type"])

    @property
    def lens(self) -> Body:
        found: Body = self.body["embeddableConfig"]["attributes"]
        return found

    @property
    def query(self) -> str:
        return str(self.lens["state"]["query"]["query"])

    @property
    def view(self) -> str:
        """Id of its data view."""
        return next(found for name, found in self.references.items() if name.startswith(_LAYER))

    def layer(self, interval: str = "2s") -> Layer:
        (found,) = self.lens["state"]["datasourceStates"]["formBased"]["layers"].values()
        return Layer({name: found["columns"][name] for name in found["columnOrder"]}, interval)

    @property
    def vega(self) -> Body | None:
        saved = self.body["embeddableConfig"].get("savedVis", {})
        if saved.get("type") != "vega":
            return None
        spec: Body = json.loads(saved["params"]["spec"])
        return spec


def lines() -> list[Body]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def of_kind(kind: str) -> list[Body]:
    return [found for found in lines() if found["type"] == kind]


def titles() -> dict[str, str]:
    """Index patterns by the id of the data view."""
    return {found["id"]: found["attributes"]["title"] for found in of_kind("index-pattern")}


def panels() -> Iterator[Panel]:
    for page in of_kind("dashboard"):
        for body in json.loads(page["attributes"]["panelsJSON"]):
            prefix = f"{body['panelIndex']}:"
            own = {
                one["name"].removeprefix(prefix): one["id"]
                for one in page["references"]
                if one["name"].startswith(prefix)
            }
            yield Panel(page["id"], body, own)


def source_of(search: Body) -> Body:
    """What a saved search looks for."""
    found: Body = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    return found
