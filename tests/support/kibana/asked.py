"""Questions as Kibana asks them, of the indices of one run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.index import ask
from tests.support.kibana.objects import Panel, of_kind, panels, source_of, titles
from tests.support.kibana.vega import answered
from tests.support.kql.parser import Kql

Body = dict[str, Any]


@dataclass
class Asked:
    """Elasticsearch, and the namespace that a run writes to."""

    host: str
    namespace: str
    views: dict[str, str] = field(default_factory=titles)
    translated: dict[str, dict[str, Body]] = field(default_factory=dict)
    """Query DSL by data view and text; a field that its index does not have is an error."""

    def __post_init__(self) -> None:
        texts: dict[str, set[str]] = {view: set() for view in self.views}
        for panel in panels():
            if panel.kind == "lens":
                texts[panel.view] |= {panel.query, *panel.layer().texts()}
        for search in of_kind("search"):
            texts[search["references"][0]["id"]].add(source_of(search)["query"]["query"])
        for view, found in texts.items():
            self.translated[view] = self.translate(view, found)

    def translate(self, view: str, texts: Iterable[str]) -> dict[str, Body]:
        written = [text for text in texts if text]
        queries = Kql.of(self.host, self.index(view)).queries(written)
        return {"": {"match_all": {}}, **{text: one.dsl for text, one in zip(written, queries, strict=True)}}

    def refresh(self) -> None:
        """So that all that is written is found."""
        for view in self.views:
            ask(self.host, "POST", f"{self.index(view)}/_refresh")

    def documents(self, view: str) -> list[Body]:
        """All of a data view."""
        return list(ask(self.host, "POST", f"{self.index(view)}/_search", {"size": 10_000})["hits"]["hits"])

    def index(self, view: str) -> str:
        return self.views[view].removesuffix("*") + f"{self.namespace}-*"

    def rows(self, panel: Panel) -> list[Body]:
        """What a chart would draw."""
        layer, kql = panel.layer(), self.translated[panel.view]
        body = {"size": 0, "query": kql[panel.query], "aggs": layer.aggregations(kql)}
        answer = ask(self.host, "POST", f"{self.index(panel.view)}/_search", body)
        assert answer["_shards"]["failed"] == 0
        return layer.rows(answer["aggregations"])

    def graphs(self) -> Iterator[tuple[Panel, Body]]:
        """Tiles that Vega draws, and their specifications with the answers."""
        for panel in panels():
            if (spec := panel.vega) is not None:
                yield panel, answered(spec, self._answer)

    def hits(self, search: Mapping[str, Any]) -> list[Body]:
        """Documents that a saved search finds."""
        view = search["references"][0]["id"]
        query = self.translated[view][source_of(search)["query"]["query"]]
        body = {"size": 10_000, "query": query, "sort": [{"@timestamp": "desc"}]}
        return list(ask(self.host, "POST", f"{self.index(view)}/_search", body)["hits"]["hits"])

    def _answer(self, index: str, body: Body) -> Body:
        return ask(self.host, "POST", f"{index.removesuffix('*')}{self.namespace}-*/_search", body)
