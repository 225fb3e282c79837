"""Chooses flows where only notable ones are indexed, and keeps the pairs that have met in Elasticsearch beside them."""

from typing import Final

from schemas.topic import FLOWS, WINDOWS, Topic
from streams.index.counters import IndexCounters
from streams.index.dataset import EDGE_TEMPLATE
from streams.index.document import Document, Record
from streams.index.notable.book import EdgeBook, Meeting
from streams.index.notable.level import Level
from streams.index.notable.note import meeting_of, note
from streams.index.writer import IndexWriter

_PAGE: Final = 5000


class NotableFlows:
    """One worker's choice, and what it rests on."""

    def __init__(self, index: IndexWriter, book: EdgeBook, cluster: str, namespace: str) -> None:
        self._index = index
        self._book = book
        self._level = Level(book)
        self._cluster = cluster
        self._namespace = namespace
        self._is_loaded = False

    def forget_loaded(self) -> None:
        """Partitions came: what other workers noted of their pairs is to be read."""
        self._is_loaded = False

    def choose(self, topic: Topic, record: Record, document: Document) -> Document:
        """The document as it is to be indexed; without a body when it is left out."""
        if topic is FLOWS:
            return self._level.flow(record, document)
        return self._level.window(document) if topic is WINDOWS else document

    def tell(self, counters: IndexCounters) -> None:
        """What was left out and forgotten since the last call."""
        left_out, forgotten = self._level.take_left_out(), self._book.take_forgotten()
        counters.left_out.inc(left_out)
        counters.forgotten.inc(forgotten)

    async def load(self) -> None:
        """Read what is kept, unless it has been: the last seen first, as many as are remembered."""
        if self._is_loaded:
            return
        found: dict[str, Meeting] = {}
        async for sources in self._index.notes(f"{EDGE_TEMPLATE}-{self._namespace}-*", self._cluster, _PAGE):
            for meeting in map(meeting_of, sources):
                found[meeting.edge] = meeting.joined(found.get(meeting.edge))
            if len(found) >= self._book.limit:
                break
        self._book.learn(reversed([*found.values()][: self._book.limit]))
        self._is_loaded = True

    async def save(self) -> None:
        """Write what is new. Raises WriteError when that is refused."""
        await self._index.note([note(meeting, self._cluster, self._namespace) for meeting in self._book.take_fresh()])
