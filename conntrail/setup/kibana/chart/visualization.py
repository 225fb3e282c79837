"""How a layer is drawn: the state of each of Lens' visualizations."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from conntrail.setup.kibana.chart.layer import LAYER, Layer
from conntrail.setup.kibana.model import Color, Panel

State = dict[str, Any]
COLORS: Final[Mapping[Color, str]] = {
    "allowed": "#209280", "denied": "#CC5642", "failed": "#D6BF57", "neutral": "#6092C0", "second": "#9170B8",
}  # fmt: skip
_OWN: Final = {"layerId": LAYER, "layerType": "data"}
_SERIES: Final = {"area": "area_stacked", "bars": "bar_stacked", "lines": "line", "ranking": "bar_horizontal_stacked"}


def visualization(panel: Panel, layer: Layer) -> tuple[str, State]:
    """Lens' name of the visualization, and its state."""
    name, state = _BY_CHART[panel.chart]
    return name, state(panel, layer)


def _metric(panel: Panel, layer: Layer) -> State:
    return {**_OWN, "metricAccessor": layer.measures[0], "color": COLORS[panel.show[0].color]}


def _xy(panel: Panel, layer: Layer) -> State:
    is_ranking = panel.chart == "ranking"
    x_axis = layer.buckets[0] if is_ranking else layer.buckets[-1]
    split = [identity for identity in layer.buckets if identity != x_axis]
    colors = [
        {"forAccessor": identity, "axisMode": "left", "color": COLORS[measure.color]}
        for identity, measure in zip(layer.measures, panel.show, strict=True)
    ]
    drawn: State = {
        **_OWN,
        "accessors": list(layer.measures),
        "position": "top",
        "seriesType": _SERIES[panel.chart],
        "showGridlines": False,
        "xAccessor": x_axis,
        # A split has a palette of its own, which a color would flatten.
        "yConfig": [] if split else colors,
    }
    if split:
        drawn["splitAccessor"] = split[0]
    hidden_titles = {"x": False, "yLeft": False, "yRight": False}
    return {
        "axisTitlesVisibilitySettings": hidden_titles,
        "fittingFunction": "None",
        "layers": [drawn],
        "legend": {"isVisible": bool(split) or len(layer.measures) > 1, "position": "bottom"},
        "preferredSeriesType": _SERIES[panel.chart],
        "valueLabels": "hide",
    }


def _table(_: Panel, layer: Layer) -> State:
    columns = [{"columnId": identity, "isTransposed": False} for identity in (*layer.buckets, *layer.measures)]
    sorting = {"columnId": layer.measures[0], "direction": "desc"}
    return {**_OWN, "columns": columns, "sorting": sorting, "paging": {"enabled": True, "size": 10}}


def _donut(_: Panel, layer: Layer) -> State:
    drawn = {
        **_OWN, "primaryGroups": list(layer.buckets), "metrics": list(layer.measures), "numberDisplay": "percent",
        "categoryDisplay": "default", "legendDisplay": "default", "nestedLegend": False,
    }  # fmt: skip
    return {"shape": "donut", "layers": [drawn]}


def _heatmap(_: Panel, layer: Layer) -> State:
    return {
        **_OWN,
        "shape": "heatmap",
        "yAccessor": layer.buckets[0],
        "xAccessor": layer.buckets[1],
        "valueAccessor": layer.measures[0],
        "legend": {"isVisible": True, "position": "right", "type": "heatmap_legend"},
        "gridConfig": {
            "type": "heatmap_grid",
            "isCellLabelVisible": True,
            "isXAxisLabelVisible": True,
            "isYAxisLabelVisible": True,
            "isXAxisTitleVisible": True,
            "isYAxisTitleVisible": True,
        },
    }


_BY_CHART: Final[Mapping[str, tuple[str, Callable[[Panel, Layer], State]]]] = {
    "metric": ("lnsMetric", _metric),
    "area": ("lnsXY", _xy),
    "bars": ("lnsXY", _xy),
    "lines": ("lnsXY", _xy),
    "ranking": ("lnsXY", _xy),
    "table": ("lnsDatatable", _table),
    "donut": ("lnsPie", _donut),
    "heatmap": ("lnsHeatmap", _heatmap),
}
