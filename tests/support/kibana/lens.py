"""A panel of Lens as the aggregation that it stands for, and the rows that Kibana would draw."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
Translate = Mapping[str, Body]
"""The query DSL of each text in KQL."""
Row = dict[str, Any]
_PLAIN = {"sum": "sum", "max": "max", "unique_count": "cardinality"}
_HIDDEN = ("formula", "math")


@dataclass(frozen=True)
class Layer:
    """The columns of a chart; their ids name the aggregations."""

    columns: Mapping[str, Body]
    interval: str

    @property
    def buckets(self) -> list[str]:
        return [name for name, column in self.columns.items() if column["isBucketed"]]

    @property
    def measures(self) -> list[str]:
        """Those that are drawn."""
        parts = {part for column in self.columns.values() for part in column.get("references", ())}
        return [name for name, column in self.columns.items() if not column["isBucketed"] and name not in parts]

    def texts(self) -> Iterator[str]:
        """All KQL in it."""
        return (column["filter"]["query"] for column in self.columns.values() if "filter" in column)

    def fields(self) -> Iterator[str]:
        """All fields whose values are used."""
        named = (column.get("sourceField", "___records___") for column in self.columns.values())
        return (field for field in named if field != "___records___")

    def aggregations(self, kql: Translate) -> Body:
        return self._level(self.buckets, kql)

    def _level(self, buckets: list[str], kql: Translate) -> Body:
        measures = {
            name: _measure(column, kql)
            for name, column in self.columns.items()
            if not column["isBucketed"] and column["operationType"] not in _HIDDEN
        }
        if not buckets:
            return measures
        name, *rest = buckets
        return {**measures, name: {**self._bucket(self.columns[name]), "aggs": self._level(rest, kql)}}

    def _bucket(self, column: Body) -> Body:
        field = column["sourceField"]
        if column["operationType"] == "date_histogram":
            return {"date_histogram": {"field": field, "fixed_interval": self.interval, "min_doc_count": 1}}
        assert column["operationType"] == "terms"
        given = column["params"]
        return {"terms": {"field": field, "size": given["size"], "order": self._order(given)}}

    def _order(self, given: Body) -> Body:
        direction = given["orderDirection"]
        if given["orderBy"]["type"] == "alphabetical":
            return {"_key": direction}
        name = given["orderBy"]["columnId"]
        column = self.columns[name]
        suffix = f".{column['params']['percentile']}" if column["operationType"] == "percentile" else ""
        inner = "" if column["operationType"] == "count" else ">value"
        return {f"{name}{inner}{suffix}": direction}

    def rows(self, answer: Body) -> list[Row]:
        return list(self._rows(answer, self.buckets))

    def _rows(self, level: Body, buckets: list[str]) -> Iterator[Row]:
        if not buckets:
            yield {name: self._value(name, level) for name in self.measures}
            return
        name, *rest = buckets
        for bucket in level[name]["buckets"]:
            for row in self._rows(bucket, rest):
                yield {name: bucket["key"], **row}

    def _value(self, name: str, level: Body) -> Any:
        column = self.columns[name]
        if column["operationType"] == "formula":
            return self._value(column["references"][0], level)
        if column["operationType"] == "math":
            assert column["params"]["tinymathAst"]["name"] == "divide"
            above, below = (self._value(part, level) for part in column["params"]["tinymathAst"]["args"])
            return above / below if below else None
        found = level[name]
        if column["operationType"] == "count":
            return found["doc_count"]
        inner = found["value"]
        if column["operationType"] == "percentile":
            return next(iter(inner["values"].values()))
        if column["operationType"] == "last_value":
            return next((hit["fields"][column["sourceField"]][0] for hit in inner["hits"]["hits"]), None)
        return inner["value"]


def _measure(column: Body, kql: Translate) -> Body:
    """Below a filter, which is of all documents where the column has none."""
    where = kql[column["filter"]["query"]] if "filter" in column else {"match_all": {}}
    kind, field = column["operationType"], column["sourceField"]
    if kind == "count":
        return {"filter": where}
    if kind == "percentile":
        inner: Body = {"percentiles": {"field": field, "percents": [column["params"]["percentile"]]}}
    elif kind == "last_value":
        inner = {"top_hits": {"size": 1, "sort": [{"@timestamp": "desc"}], "fields": [field], "_source": False}}
    else:
        inner = {_PLAIN[kind]: {"field": field}}
    return {"filter": where, "aggs": {"value": inner}}
