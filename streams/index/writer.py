"""Writes documents to Elasticsearch, each once, however often and in whatever order they come.

Which documents a higher revision made stale is settled with a note per span, written before the search for stale
documents and read after each bulk: whichever of two workers comes second sees the other.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from runtime.settings import ElasticsearchSettings
from streams.errors import WriteError
from streams.index.bulk import Fate, ItemOutcome, delete_action, index_action, stale_query
from streams.index.connection.writer import Connection
from streams.index.counters import IndexCounters
from streams.index.document import Document, Span
from streams.index.request.writer import RequestWriter
from streams.index.settle import Emission, emissions
from streams.index.target.writer import TargetWriter

_STALE_PAGE: Final = 1000
_SETTLED_SPANS: Final = 10_000
_NEW_DAYS: Final = "more new days than a cluster's clock can explain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call's documents."""

    indexed: int
    duplicates: int
    refused: Sequence[tuple[int, str]]
    """Number in the call, and Elasticsearch's reason."""


class IndexWriter:
    """One worker's way into Elasticsearch."""

    def __init__(self, settings: ElasticsearchSettings, counters: IndexCounters) -> None:
        """Raise SettingsError for hosts that are no URLs."""
        self._counters = counters
        self._connection = Connection(settings, counters)
        self._targets = TargetWriter(self._connection)
        self._requests = RequestWriter(self._connection, self._targets)
        self._settled: OrderedDict[tuple[str, int], None] = OrderedDict()

    async def index(self, documents: Sequence[Document]) -> Outcome:
        """Index them all, waiting as long as it takes; returns when Elasticsearch has every one or has refused it.

        Raises WriteError when templates are missing or the credentials do not suffice.
        """
        strange = await self._targets.require(dict.fromkeys(document.index for document in documents))
        fates = {
            n: ItemOutcome(Fate.REFUSED, f"{document.index}: {_NEW_DAYS}")
            for n, document in enumerate(documents)
            if document.index in strange
        }
        fates |= await self._requests.send(
            index_action(n, document)
            for n, document in enumerate(documents)
            if n not in fates and document.body is not None
        )
        refused = {n for n, item in fates.items() if item.fate is Fate.REFUSED}
        await self._settle([document.span for n, document in enumerate(documents) if n not in refused])
        outcome = Outcome(
            indexed=sum(item.fate is Fate.DONE for item in fates.values()),
            duplicates=sum(item.fate is Fate.KNOWN for item in fates.values()),
            refused=[(n, item.reason) for n, item in sorted(fates.items()) if item.fate is Fate.REFUSED],
        )
        self._counters.indexed.inc(outcome.indexed)
        self._counters.duplicates.inc(outcome.duplicates)
        return outcome

    async def note(self, documents: Sequence[Document]) -> None:
        """Index what is no result but a memory of ours, uncounted. Raises WriteError when it is refused."""
        await self._targets.require(dict.fromkeys(document.index for document in documents))
        fates = await self._requests.send(index_action(n, document) for n, document in enumerate(documents))
        for n, item in fates.items():
            if item.fate is Fate.REFUSED:
                raise WriteError(f"{documents[n].index} does not take its notes ({item.reason}): run conntrail setup")

    async def notes(self, pattern: str, cluster: str, page: int) -> AsyncIterator[list[Any]]:
        """Notes of a cluster by pages, those of the latest day first; nothing where there is no such index yet."""
        client = self._connection.client
        query = {"term": {"orchestrator.cluster.name": cluster}}
        sort: Any = [{"_index": "desc"}, {"@timestamp": "desc"}, "_doc"]
        await self._connection.ask(lambda: client.indices.refresh(index=pattern))
        after: Any = None
        while True:
            ask = partial(client.search, index=pattern, query=query, size=page, sort=sort, search_after=after)
            hits = (await self._connection.ask(ask))["hits"]["hits"]
            if not hits:
                return
            yield [hit["_source"] for hit in hits]
            after = hits[-1]["sort"]

    async def close(self) -> None:
        """Give the connections back."""
        await self._connection.close()

    async def _settle(self, spans: Iterable[Span | None]) -> None:
        """Leave no document of a revision that a higher one of the same span replaced."""
        found = emissions(spans)
        for span in [emission.latest for emission in found if emission.latest.replaces]:
            if (span.id, span.revision) not in self._settled:
                await self._note_revision(span)
                await self._sweep(span, span.revision)
                self._settled[span.id, span.revision] = None
                if len(self._settled) > _SETTLED_SPANS:
                    self._settled.popitem(last=False)
        for emission, noted in await self._noted_revisions(found):
            if noted > emission.lowest_revision:
                await self._sweep(emission.latest, noted)

    async def _note_revision(self, span: Span) -> None:
        body = {"@timestamp": span.timestamp, "revision": span.revision}
        await self.note([Document(span.index, span.id, span.revision, body)])

    async def _noted_revisions(self, found: Sequence[Emission]) -> list[tuple[Emission, int]]:
        """What is noted of these spans; reading by id sees what no refresh has shown yet."""
        if not found:
            return []
        wanted = [{"_index": e.latest.index, "_id": e.latest.id, "_source": False} for e in found]
        answer = await self._connection.ask(lambda: self._connection.client.mget(docs=wanted))
        answers = zip(found, answer["docs"], strict=True)
        return [(emission, note["_version"]) for emission, note in answers if note.get("found")]

    async def _sweep(self, span: Span, revision: int) -> None:
        """Remove the span's documents of lower revisions."""
        client = self._connection.client
        await self._connection.ask(lambda: client.indices.refresh(index=span.target))
        while True:
            answer = await self._connection.ask(
                lambda: client.search(
                    index=span.target,
                    query=stale_query(span, revision),
                    size=_STALE_PAGE,
                    version=True,
                    source=False,
                )
            )
            hits = answer["hits"]["hits"]
            if not hits:
                return
            actions = [delete_action(n, h["_index"], h["_id"], h["_version"]) for n, h in enumerate(hits)]
            fates = await self._requests.send(actions)
            self._counters.stale.inc(sum(item.fate is Fate.DONE for item in fates.values()))
            await self._connection.ask(lambda: client.indices.refresh(index=span.target))
