"""One tile of a dashboard: a chart by value, a saved search by reference, a text, or a Vega specification."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from conntrail.setup.kibana.chart.layer import LAYER, layer_of
from conntrail.setup.kibana.chart.visualization import visualization
from conntrail.setup.kibana.model import Dashboard, Panel
from conntrail.setup.kibana.saved_object import Body, Reference, kuery, object_id, stable_id

_RELEASE: Final = "8.10.0"
_LAYER_REFERENCE: Final = f"indexpattern-datasource-layer-{LAYER}"
_DRILLDOWN: Final = "DASHBOARD_TO_DASHBOARD_DRILLDOWN"


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the grid of 48 columns."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A panel as its dashboard keeps it, and what it refers to."""

    body: Body
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What panels need to know of the others."""

    page: Dashboard
    titles: dict[str, str]
    """Of all dashboards, by id."""
    vega: Mapping[str, str]
    types: Mapping[str, Mapping[str, str]]
    """Elasticsearch's types of the fields, by the id of a data view."""


def tile(panel: Panel, place: Place, context: Context) -> Tile:
    """The panel at its place; its id follows from the dashboard and its title."""
    identity = stable_id(context.page.id, panel.chart, panel.title or panel.text[:40])
    kind, configuration, references = _content(panel, identity, context)
    events = [_drilldown(identity, target, context) for target in panel.go]
    enhancements = {"dynamicActions": {"events": [event for event, _ in events]}} if events else {}
    hidden = {"hidePanelTitles": True} if panel.chart in ("metric", "text") else {}
    described = {"description": panel.about} if panel.about else {}
    body: Body = {
        "version": _RELEASE,
        "type": kind,
        "gridData": {"x": place.x, "y": place.y, "w": place.width, "h": place.height, "i": identity},
        "panelIndex": identity,
        "embeddableConfig": {**configuration, **hidden, **described, "enhancements": enhancements},
    }
    if panel.chart == "search":
        body["panelRefName"] = f"panel_{identity}"
    if panel.title:
        body["title"] = panel.title
    named = [*references, *(reference for _, reference in events)]
    return Tile(body, tuple(Reference(one.kind, one.id, f"{identity}:{one.name}") for one in named))


def _content(panel: Panel, identity: str, context: Context) -> tuple[str, Body, list[Reference]]:
    if panel.chart == "search":
        return "search", {}, [Reference("search", object_id(panel.search), f"panel_{identity}")]
    if panel.chart == "text":
        return "visualization", _legacy("markdown", {"markdown": panel.text, "fontSize": 12}), []
    if panel.chart == "vega":
        return "visualization", _legacy("vega", {"spec": context.vega[panel.spec]}), []
    reference = Reference("index-pattern", object_id(panel.view), _LAYER_REFERENCE)
    return "lens", {"attributes": _lens(panel, reference, context.types[panel.view])}, [reference]


def _lens(panel: Panel, reference: Reference, types: Mapping[str, str]) -> Body:
    layer = layer_of(panel, types)
    name, state = visualization(panel, layer)
    return {
        "title": "",
        "type": "lens",
        "visualizationType": name,
        "references": [reference.body()],
        "state": {
            "adHocDataViews": {},
            "datasourceStates": {"formBased": {"layers": {LAYER: layer.body()}}},
            "filters": [],
            "internalReferences": [],
            "query": kuery(panel.query),
            "visualization": state,
        },
    }


def _legacy(kind: str, parameters: dict[str, Any]) -> Body:
    source = {"query": kuery(""), "filter": []}
    return {
        "savedVis": {
            "id": "", "title": "", "description": "", "type": kind, "params": parameters, "uiState": {},
            "data": {"aggs": [], "searchSource": source},
        }
    }  # fmt: skip


def _drilldown(identity: str, target: str, context: Context) -> tuple[Body, Reference]:
    """A click on a value leads on, with that value and the time as filters."""
    event = stable_id(identity, target)
    action = {
        "factoryId": _DRILLDOWN,
        "name": f"Open {context.titles[target]}",
        "config": {"useCurrentFilters": True, "useCurrentDateRange": True, "openInNewTab": False},
    }
    body = {"eventId": event, "triggers": ["FILTER_TRIGGER"], "action": action}
    return body, Reference("dashboard", object_id(target), f"drilldown:{_DRILLDOWN}:{event}:dashboardId")
