"""Reads documents of Elasticsearch one after the other, of a point in time, and sums them up while they come."""

from collections.abc import Iterator
from typing import Any, Final

from elasticsearch import ApiError, Elasticsearch, TransportError

from conntrail.errors import CommandError
from conntrail.policy.history.document import Body
from conntrail.policy.history.period import Period
from conntrail.report.fact import query
from conntrail.report.fact.coverage import interval_of, lives_of
from conntrail.report.fact.facts import Facts, Scope
from conntrail.report.fact.query import Search
from runtime.elasticsearch import client_options
from runtime.reader import certificates
from runtime.settings import Settings
from streams.index.dataset import WINDOW

PAGE: Final = 2000
"""Some 25 MB while it is read; 5,000 were 65 MB, and no faster."""
_SEARCH_SECONDS: Final = 120.0
_WANTED: Final = "pit_id,hits.hits._source,hits.hits.sort"
"""Of an answer: names of indices and ids would be as much again as what is read."""
_KEPT: Final = "5m"
"""How long Elasticsearch holds on to a point in time between two pages."""
_SHOWN_NAMES: Final = 5


class EvidenceIndex:
    """What Elasticsearch keeps of one cluster."""

    def __init__(self, settings: Settings, page: int = PAGE) -> None:
        """Raise CommandError without an Elasticsearch to ask."""
        self._settings = settings.elasticsearch
        self._page = page
        if not self._settings.hosts:
            raise CommandError(
                "CONNTRAIL_ELASTICSEARCH__HOSTS is empty: set it, a report is made of what is kept there"
            )
        if self._settings.ca_certs:
            certificates("CONNTRAIL_ELASTICSEARCH__CA_CERTS", self._settings.ca_certs)
        self._client = Elasticsearch(**client_options(self._settings), request_timeout=_SEARCH_SECONDS)

    def read(self, scope: Scope, period: Period, due_ms: int) -> Facts:
        """Everything that is known of a scope and period. Raises CommandError when it cannot be read as a whole.

        Up to ``due_ms`` a node that reported nothing is missed.
        """
        facts = Facts(scope, period, due_ms)
        try:
            for body in self._documents(scope, query.windows(scope, period)):
                facts.add_window(body)
            for body in self._documents(scope, query.hits(scope, period)):
                facts.rules.add(body)
            for body in self._documents(scope, query.changes(scope, period)):
                facts.changes.add_change(body)
            for body in self._documents(scope, query.requests(scope, period)):
                facts.changes.add_request(body)
            lives = lives_of(self._documents(scope, query.node_changes(period)))
            facts.coverage.read(map(interval_of, self._documents(scope, query.intervals(period))), lives)
            facts.audit_events = self._count(scope, query.audit_events(period))
            facts.dead_letters = self._count(scope, query.dead_letters(period))
        except ApiError as error:
            raise CommandError(f"Elasticsearch at {self._settings.hosts} refuses: {error}") from error
        except TransportError as error:
            raise CommandError(f"Elasticsearch at {self._settings.hosts} does not answer ({error.message})") from error
        return facts

    def namespaces(self, scope: Scope) -> list[str]:
        """Some that have traffic, for whoever asked for one that has none."""
        names = {"terms": {"field": "destination.kubernetes.namespace", "size": _SHOWN_NAMES}}
        search = Search(WINDOW, ())
        wanted = search.query(scope)
        try:
            answer = self._client.search(index=self._pattern(search), query=wanted, size=0, aggs={"names": names})
        except (ApiError, TransportError):
            return []
        return [str(bucket["key"]) for bucket in answer.get("aggregations", {}).get("names", {}).get("buckets", ())]

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _documents(self, scope: Scope, search: Search) -> Iterator[Body]:
        """Every one, page by page; memory holds one page."""
        opened = self._client.open_point_in_time(index=self._pattern(search), keep_alive=_KEPT)["id"]
        after: list[Any] | None = None
        try:
            while True:
                answer = self._client.search(
                    pit={"id": opened, "keep_alive": _KEPT},
                    query=search.query(scope),
                    source_includes=search.fields,
                    sort=[{field: "asc"} for field in search.order] or ["_shard_doc"],
                    search_after=after,
                    size=self._page,
                    track_total_hits=False,
                    allow_partial_search_results=False,  # few must not be taken for all
                    filter_path=_WANTED,
                )
                opened = answer.get("pit_id", opened)
                hits = answer.get("hits", {}).get("hits", [])
                yield from (hit["_source"] for hit in hits)
                if len(hits) < self._page:
                    return
                after = hits[-1]["sort"]
        finally:
            self._client.close_point_in_time(id=opened)

    def _count(self, scope: Scope, search: Search) -> int:
        answer = self._client.count(index=self._pattern(search), query=search.query(scope))
        return int(answer["count"])

    def _pattern(self, search: Search) -> str:
        return f"{search.dataset.template}-{self._settings.namespace}-*"
