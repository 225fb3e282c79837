"""The layer of a chart: its buckets and measures as columns, in the order in which they divide."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from conntrail.setup.kibana.chart.column import Column, measure_columns, terms_column, time_column
from conntrail.setup.kibana.model import Panel

LAYER: Final = "layer"
_OVER_TIME: Final = ("area", "bars", "lines")


@dataclass(frozen=True, slots=True)
class Layer:
    """Ids of its buckets and measures, and all columns."""

    buckets: tuple[str, ...]
    measures: tuple[str, ...]
    columns: dict[str, Column]

    def body(self) -> dict[str, Any]:
        """As Lens keeps it."""
        return {"columnOrder": list(self.columns), "columns": self.columns, "incompleteColumns": {}, "sampling": 1}


def layer_of(panel: Panel, types: Mapping[str, str]) -> Layer:
    """Buckets first; charts over time split first and then go along the time. ``types`` of the view's fields."""
    measures = {f"measure{number}": measure for number, measure in enumerate(panel.show)}
    order = next((identity for identity, measure in measures.items() if measure.share_of is None), "")
    divided = [terms_column(bucket, order, types) for bucket in panel.by]
    if panel.chart in _OVER_TIME:
        divided.append(time_column())
    columns: dict[str, Column] = {f"bucket{number}": column for number, column in enumerate(divided)}
    buckets = tuple(columns)
    for identity, measure in measures.items():
        columns |= measure_columns(identity, measure, types)
    return Layer(buckets, tuple(measures), columns)
