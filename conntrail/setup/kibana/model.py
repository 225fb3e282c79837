"""What source/*.yaml may say. Unknown names are errors; what a value may be is said by its type."""

from typing import Annotated, Literal

import msgspec

COLUMNS = 48
"""Width of a dashboard's grid."""
Color = Literal["allowed", "denied", "failed", "neutral", "second"]
Identity = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A misspelt name is refused."""


class FieldNote(_Strict, frozen=True):
    """How a field is shown wherever it is."""

    about: str
    label: str = ""
    unit: Literal["", "bytes", "us", "ns", "count"] = ""


class View(_Strict, frozen=True):
    """A data view of one dataset."""

    id: Identity
    dataset: str
    """Name of its template, for example ``logs-conntrail.flow``."""
    name: str


class Search(_Strict, frozen=True):
    """A saved search: the tab of Discover that answers one question."""

    id: Identity
    view: str
    title: str
    about: str
    columns: list[str]
    query: str = ""


class Measure(_Strict, frozen=True, rename={"name": "as"}):
    """One number. Exactly one of the operations is given."""

    count: bool = False
    sum: str = ""
    maximum: str = ""
    latest: str = ""
    """Of a date or number: its last value by time."""
    unique: str = ""
    percentile: str = ""
    rank: int = 95
    where: str = ""
    """KQL: of these documents only."""
    share_of: "Measure | None" = None
    """Divided by this other measure: shown in percent."""
    name: str = ""
    color: Color = "neutral"


class Bucket(_Strict, frozen=True, rename={"name": "as"}):
    """The values of a field, most first."""

    field: str
    size: int = 10
    name: str = ""


class Panel(_Strict, frozen=True):
    """One tile."""

    chart: Literal["metric", "area", "bars", "lines", "ranking", "table", "donut", "heatmap", "vega", "text", "search"]
    title: str = ""
    view: str = ""
    query: str = ""
    by: list[Bucket] = []
    """Charts over time have that as their last by themselves."""
    show: list[Measure] = []
    width: int = 0
    """Columns of the grid; what is left of a row is shared by those without."""
    search: str = ""
    spec: str = ""
    """Name of a file in source/vega."""
    text: str = ""
    about: str = ""
    go: list[str] = []
    """Dashboards that a click on a value leads to."""


class Row(_Strict, frozen=True):
    """Tiles side by side."""

    height: int
    panels: list[Panel]


class Control(_Strict, frozen=True):
    """A list to choose values of a field from."""

    field: str
    title: str


class Dashboard(_Strict, frozen=True):
    """One page."""

    id: Identity
    title: str
    about: str
    view: str
    """Whose values the controls offer."""
    controls: list[Control]
    rows: list[Row]
    order: int
    since: str = "now-1h"


class Rule(_Strict, frozen=True):
    """An alerting rule of Kibana's, as an example."""

    id: Identity
    name: str
    about: str
    view: str
    query: str
    minutes: int
    above: int = 0


class Source(_Strict, frozen=True):
    """All of it."""

    views: list[View]
    fields: dict[str, FieldNote]
    searches: list[Search]
    dashboards: list[Dashboard]
    rules: list[Rule]
    vega: dict[str, str]
    """Specifications as JSON, by name."""
