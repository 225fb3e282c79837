"""Writes documents to Elasticsearch, each once, however often and in whatever order they come; waits out its absences.

The client's bulk helpers are not used: they raise on a single 429, let connection errors through and sleep inside
a generator. Which documents a higher revision made stale is settled with a note per span, written before the search
for stale documents and read after each bulk: whichever of two workers comes second sees the other.
"""

import asyncio
import random
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from elastic_transport import TlsError
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError, TransportError

from runtime.elasticsearch import client_options
from runtime.settings import ElasticsearchSettings
from streams.errors import WriteError
from streams.index.bulk import (
    MAXIMUM_REQUEST_BYTES,
    Action,
    Fate,
    ItemOutcome,
    delete_action,
    index_action,
    is_passing,
    item_outcome,
    stale_query,
    take_request,
)
from streams.index.counters import IndexCounters
from streams.index.document import Document, Span
from streams.index.settle import Emission, emissions
from streams.index.template import MANAGED_BY

_REQUEST_SECONDS = 60.0
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 30.0
_REFUSALS_BEFORE_SPLIT = 1
_REQUEST_GROWTH_BYTES = 16 << 10
_STALE_PAGE = 1000
_SETTLED_SPANS = 10_000
# A node with a wrong clock, or a hostile one, must not make an index for every day there ever was.
_NEW_INDICES_AN_HOUR = 200
_TOO_LARGE = 413
_BULK_FILTER = "items.*.status,items.*.error"
_log = structlog.get_logger()


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
        self._settings = settings
        self._options = client_options(settings)
        self._counters = counters
        self._client: AsyncElasticsearch | None = None
        self._request_bytes = MAXIMUM_REQUEST_BYTES
        self._indices: OrderedDict[str, None] = OrderedDict()
        self._created_at: deque[float] = deque()
        self._settled: OrderedDict[tuple[str, int], None] = OrderedDict()

    async def index(self, documents: Sequence[Document]) -> Outcome:
        """Index them all, waiting as long as it takes; returns when Elasticsearch has every one or has refused it.

        Raises WriteError when templates are missing or the credentials do not suffice.
        """
        fates: dict[int, ItemOutcome] = await self._refuse_new_indices(documents)
        actions = (index_action(n, document) for n, document in enumerate(documents) if n not in fates)
        fates |= await self._send(actions)
        await self._settle([documents[n].span for n in fates if fates[n].fate is not Fate.REFUSED])
        outcome = Outcome(
            indexed=sum(item.fate is Fate.DONE for item in fates.values()),
            duplicates=sum(item.fate is Fate.KNOWN for item in fates.values()),
            refused=[(n, item.reason) for n, item in sorted(fates.items()) if item.fate is Fate.REFUSED],
        )
        self._counters.indexed.inc(outcome.indexed)
        self._counters.duplicates.inc(outcome.duplicates)
        return outcome

    async def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _send(self, actions: Iterable[Action]) -> dict[int, ItemOutcome]:
        """Every action to its end, in requests of bounded size."""
        fates: dict[int, ItemOutcome] = {}
        pending = deque(actions)
        refusals = 0
        while pending:
            chunk = take_request(pending, self._request_bytes)
            try:
                again = _sort_out(chunk, await self._bulk(chunk), fates)
            except ApiError as error:
                again = self._after_refusal(error, chunk, fates, refusals)
                reason = str(error.status_code)
            except TransportError as error:
                self._require_trust(error)
                again, reason = chunk, type(error).__name__
            else:
                reason = "document"
                self._request_bytes = min(MAXIMUM_REQUEST_BYTES, self._request_bytes + _REQUEST_GROWTH_BYTES)
            pending.extendleft(reversed(again))
            refusals = await self._wait(reason, refusals) if again else 0
            if again and reason == "document":
                # Perhaps since their index was removed: then it must come back with our mapping or not at all.
                for name in dict.fromkeys(action.index for action in again):
                    await self._patiently(partial(self._require_index, name))
        return fates

    async def _bulk(self, chunk: Sequence[Action]) -> list[ItemOutcome]:
        lines: Any = [action.lines[:-1] for action in chunk]  # the client passes encoded lines on as they are
        answer = await self._connected().bulk(operations=lines, filter_path=_BULK_FILTER)
        return [item_outcome(item) for item in answer["items"]]

    def _after_refusal(
        self, error: ApiError, chunk: list[Action], fates: dict[int, ItemOutcome], refusals: int
    ) -> list[Action]:
        """The whole request was refused: return what is to be sent again, in smaller requests where size may be why."""
        is_large = error.status_code == _TOO_LARGE
        if not is_large and not is_passing(error.status_code):
            raise self._failure(error) from error
        if is_large and len(chunk) == 1:
            fates[chunk[0].number] = ItemOutcome(Fate.REFUSED, f"{chunk[0].size_bytes} bytes: {error.message}")
            return []
        if is_large or refusals >= _REFUSALS_BEFORE_SPLIT:
            # Over the node's indexing pressure limit a request of this size is refused for ever.
            self._request_bytes = sum(action.size_bytes for action in chunk) // 2
        return chunk

    async def _refuse_new_indices(self, documents: Sequence[Document]) -> dict[int, ItemOutcome]:
        """Make sure that every index is there and is ours; refuse documents of far too many days."""
        refused: set[str] = set()
        for name in dict.fromkeys(document.index for document in documents):
            if name not in self._indices and not await self._patiently(partial(self._require_index, name)):
                refused.add(name)
        reason = "more new days than a cluster's clock can explain"
        return {
            n: ItemOutcome(Fate.REFUSED, f"{d.index}: {reason}") for n, d in enumerate(documents) if d.index in refused
        }

    async def _require_index(self, name: str) -> bool:
        """Whether the index may be written to; it is created when it is not there, and kept only with our mapping."""
        client = self._connected()
        is_created = False
        try:
            mapping = await client.indices.get_mapping(index=name)
        except NotFoundError:
            if not self._may_create():
                return False
            await client.options(ignore_status=400).indices.create(index=name)  # 400: another worker was faster
            is_created = True
            mapping = await client.indices.get_mapping(index=name)
        if mapping[name]["mappings"].get("_meta", {}).get("managed_by") != MANAGED_BY:
            if is_created:
                await client.indices.delete(index=name)
            raise WriteError(f"no index template of ours applies to {name}: run conntrail setup")
        self._indices[name] = None
        if len(self._indices) > _NEW_INDICES_AN_HOUR:
            self._indices.popitem(last=False)
        return True

    def _may_create(self) -> bool:
        now = time.monotonic()
        while self._created_at and self._created_at[0] < now - 3600:
            self._created_at.popleft()
        if len(self._created_at) >= _NEW_INDICES_AN_HOUR:
            return False
        self._created_at.append(now)
        return True

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
        if span.index not in self._indices:
            await self._patiently(lambda: self._require_index(span.index))
        body = {"@timestamp": span.timestamp, "revision": span.revision}
        fates = await self._send([index_action(0, Document(span.index, span.id, span.revision, body))])
        if fates[0].fate is Fate.REFUSED:
            raise WriteError(f"{span.index} does not take its notes ({fates[0].reason}): run conntrail setup")

    async def _noted_revisions(self, found: Sequence[Emission]) -> list[tuple[Emission, int]]:
        """What is noted of these spans; reading by id sees what no refresh has shown yet."""
        if not found:
            return []
        wanted = [{"_index": e.latest.index, "_id": e.latest.id, "_source": False} for e in found]
        answer = await self._patiently(lambda: self._connected().mget(docs=wanted))
        answers = zip(found, answer["docs"], strict=True)
        return [(emission, note["_version"]) for emission, note in answers if note.get("found")]

    async def _sweep(self, span: Span, revision: int) -> None:
        """Remove the span's documents of lower revisions."""
        client = self._connected()
        await self._patiently(lambda: client.indices.refresh(index=span.target))
        while True:
            answer = await self._patiently(
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
            fates = await self._send(actions)
            self._counters.stale.inc(sum(item.fate is Fate.DONE for item in fates.values()))
            await self._patiently(lambda: client.indices.refresh(index=span.target))

    async def _patiently(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make a call until Elasticsearch answers it."""
        refusals = 0
        while True:
            try:
                return await call()
            except ApiError as error:
                if not is_passing(error.status_code):
                    raise self._failure(error) from error
                refusals = await self._wait(str(error.status_code), refusals)
            except TransportError as error:
                self._require_trust(error)
                refusals = await self._wait(type(error).__name__, refusals)

    async def _wait(self, reason: str, refusals: int) -> int:
        """Wait longer each time, with jitter so that workers do not come back as one; returns the next count."""
        self._counters.retries.labels(reason).inc()
        if refusals == 0:
            _log.warning("Elasticsearch does not take documents, waiting", reason=reason)
        seconds = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(refusals, 20))
        await asyncio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        return refusals + 1

    def _require_trust(self, error: TransportError) -> None:
        """No waiting mends a certificate that we do not know."""
        if isinstance(error, TlsError):
            hint = "check CONNTRAIL_ELASTICSEARCH__CA_CERTS"
            raise WriteError(
                f"Elasticsearch at {self._settings.hosts} is not trusted ({error.message}): {hint}"
            ) from error

    def _failure(self, error: ApiError) -> WriteError:
        hint = "; check CONNTRAIL_ELASTICSEARCH__API_KEY" if error.status_code in (401, 403) else ""
        return WriteError(
            f"Elasticsearch at {self._settings.hosts} refuses ({error.status_code}): {error.message}{hint}"
        )

    def _connected(self) -> AsyncElasticsearch:
        """Made at the first use: the client belongs to the running loop."""
        if self._client is None:
            self._client = AsyncElasticsearch(**self._options, request_timeout=_REQUEST_SECONDS, max_retries=0)
        return self._client


def _sort_out(chunk: Sequence[Action], items: Sequence[ItemOutcome], fates: dict[int, ItemOutcome]) -> list[Action]:
    """Note what is settled; return what is to be sent again. Raises WriteError when we may not write."""
    again = []
    for action, item in zip(chunk, items, strict=True):
        if item.fate is Fate.FORBIDDEN:
            raise WriteError(f"Elasticsearch refuses: {item.reason}; check CONNTRAIL_ELASTICSEARCH__API_KEY")
        if item.fate is Fate.AGAIN:
            again.append(action)
        else:
            fates[action.number] = item
    return again
