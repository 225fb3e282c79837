"""Shapes of saved objects as exports have them: the names that we use, and their types.

Data views and dashboards: public exports of Kibana 8.8 to 8.13, and the sample data that 9.x installs; saved searches
and Lens: exports and fixtures of 8.6, 8.17, 8.19 and 9.2. A dashboard has no attributes but those that the schema of
8.9.0 in Kibana's sources allows, which forbids others, and a saved search none but those of its schema of 8.8.0. It is
no schema of Kibana's, so what passes here may still be refused there.
"""

import re
from typing import Any, Literal, Self

import msgspec


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name that is not known is refused."""


class Reference(_Strict, frozen=True):
    type: Literal["index-pattern", "search", "dashboard"]
    id: str
    name: str


class Meta(_Strict, frozen=True, rename="camel"):
    search_source_json: str = msgspec.field(name="searchSourceJSON")


class DataView(_Strict, frozen=True, rename="camel"):
    title: str
    name: str
    time_field_name: str
    fields: str
    field_attrs: str
    field_format_map: str
    runtime_field_map: str
    source_filters: str
    type_meta: str
    allow_hidden: bool


class Search(_Strict, frozen=True, rename="camel"):
    title: str
    description: str
    columns: list[str]
    sort: list[list[str]]
    grid: dict[str, Any]
    hide_chart: bool
    is_text_based_query: bool
    time_restore: bool
    kibana_saved_object_meta: Meta


class ControlGroup(_Strict, frozen=True, rename="camel"):
    chaining_system: Literal["HIERARCHICAL", "NONE"]
    control_style: Literal["oneLine", "twoLine"]
    ignore_parent_settings_json: str = msgspec.field(name="ignoreParentSettingsJSON")
    panels_json: str = msgspec.field(name="panelsJSON")


class Refresh(_Strict, frozen=True):
    pause: bool
    value: int


class Dashboard(_Strict, frozen=True, rename="camel"):
    title: str
    description: str
    version: Literal[1]
    time_restore: bool
    time_from: str
    time_to: str
    refresh_interval: Refresh
    control_group_input: ControlGroup
    kibana_saved_object_meta: Meta
    options_json: str = msgspec.field(name="optionsJSON")
    panels_json: str = msgspec.field(name="panelsJSON")


class Grid(_Strict, frozen=True):
    x: int
    y: int
    w: int
    h: int
    i: str


class Panel(_Strict, frozen=True, rename="camel"):
    version: str
    type: Literal["lens", "visualization", "search"]
    grid_data: Grid
    panel_index: str
    embeddable_config: dict[str, Any]
    title: str = ""
    panel_ref_name: str = ""


class Lens(_Strict, frozen=True, rename="camel"):
    title: str
    type: Literal["lens"]
    visualization_type: Literal["lnsXY", "lnsMetric", "lnsDatatable", "lnsPie", "lnsHeatmap"]
    references: list[Reference]
    state: dict[str, Any]


_ATTRIBUTES: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "index-pattern": ("8.0.0", DataView),
    "search": ("8.0.0", Search),
    "dashboard": ("8.9.0", Dashboard),
}
"""With the version that 8.10 knows last, and that is not older than what we write.

A newer one is refused ("belongs to a more recent version of Kibana"), and over an older one migrations run that expect
other states. In Kibana's sources migrations end at 7.11.0 for data views and at 7.9.3 for saved searches, both became
objects of many spaces at 8.0.0, and a dashboard has the migrations of its panels, of which Lens' last is 8.9.0; from
8.10 on there are model versions (10.x) instead. Exports bear 8.0.0 of the former two (8.6 to 2025) and 8.9.0 of
dashboards (2024), and 9.x makes dashboards of 8.9.0 by itself.
"""
_PART = "[0-9a-f-]{36}"
_NAMES = {
    "index-pattern": "",
    "search": r"kibanaSavedObjectMeta\.searchSourceJSON\.index",
    "dashboard": rf"controlGroup_{_PART}:optionsListDataView|({_PART}):(indexpattern-datasource-layer-\w+|panel_\1"
    rf"|drilldown:DASHBOARD_TO_DASHBOARD_DRILLDOWN:{_PART}:dashboardId)",
}
"""Of references, by the type of the object that has them."""
_STATE = {"adHocDataViews", "datasourceStates", "filters", "internalReferences", "query", "visualization"}


class Line(_Strict, frozen=True, rename="camel"):
    """One line of an export."""

    id: str
    type: str
    attributes: dict[str, Any]
    references: list[Reference]
    managed: bool
    core_migration_version: Literal["8.8.0"]
    type_migration_version: str

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Raises ValueError with what is wrong, also within the JSON of its texts."""
        found = msgspec.convert(body, cls)
        version, shape = _ATTRIBUTES[found.type]
        if found.type_migration_version != version:
            raise ValueError(f"{found.type_migration_version} is not the version that we make")
        for reference in found.references:
            if not re.fullmatch(_NAMES[found.type], reference.name):
                raise ValueError(f"no export names a reference {reference.name}")
        attributes = msgspec.convert(found.attributes, shape)
        for name, text in _texts(found.attributes):
            msgspec.json.decode(text)
            assert name
        if isinstance(attributes, Dashboard):
            _check_panels(msgspec.json.decode(attributes.panels_json, type=list[Panel]))
        return found


def _texts(value: dict[str, Any]) -> list[tuple[str, str]]:
    """Texts that hold JSON."""
    json_names = ("fieldAttrs", "fieldFormatMap", "fields", "runtimeFieldMap", "sourceFilters", "typeMeta")
    own = [(name, text) for name, text in value.items() if name.endswith("JSON") or name in json_names]
    inner = [pair for one in value.values() if isinstance(one, dict) for pair in _texts(one)]
    return [*own, *inner]


def _check_panels(panels: list[Panel]) -> None:
    for panel in panels:
        if panel.type == "lens":
            lens = msgspec.convert(panel.embeddable_config["attributes"], Lens)
            if lens.state.keys() != _STATE:
                raise ValueError(f"state of {panel.title}: {lens.state.keys() ^ _STATE}")
        elif panel.type == "search" and panel.panel_ref_name != f"panel_{panel.panel_index}":
            raise ValueError(panel.panel_ref_name)
