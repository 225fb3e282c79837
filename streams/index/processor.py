"""Faust glue of the index stage: results in, documents out, offsets given back when Elasticsearch has them."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import faust
import structlog

from schemas.errors import DecodeError, UnknownSchemaError
from schemas.registry.reader import RegistryReader
from schemas.single_object import Record, codec_of
from schemas.topic import DEAD_LETTER, Topic
from streams.index.counters import IndexCounters
from streams.index.document import Document
from streams.index.documents import document_of
from streams.index.notable.writer import NotableFlows
from streams.index.writer import IndexWriter
from streams.result.deadletter import Refused, dead_letter
from streams.result.writer import ResultWriter
from streams.source.processor import if_possible, patiently
from streams.source.reader import LogReader
from streams.source.share import RefusalShare

_BATCH_DOCUMENTS = 1000
_QUEUE_ITEMS = 5000
_LINGER_SECONDS = 0.5
_PROGRESS_SECONDS = 1.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IndexStage:
    """What the index stage is made of."""

    cluster: str
    namespace: str
    topics: Mapping[str, Topic]
    """By full name."""
    log: LogReader
    registry: RegistryReader
    index: IndexWriter
    dead_letters: ResultWriter
    counters: IndexCounters
    notable: NotableFlows | None
    """None where all flows are indexed."""
    share: RefusalShare
    """Of all topics but the dead letters, of which every refusal makes another."""


@dataclass(slots=True)
class _Position:
    """One assigned partition."""

    expected: int
    done: int


@dataclass(frozen=True, slots=True)
class _Item:
    """One message on its way."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    event: Any = field(compare=False, default=None)
    """Faust's event; none for a message that was read again."""


class IndexProcessor:
    """Consumes the results and indexes them, in batches, in the order of the log."""

    def __init__(self, stage: IndexStage) -> None:
        self._stage = stage
        self._codecs = {name: codec_of(topic.schema) for name, topic in stage.topics.items()}
        self._positions: dict[tuple[str, int], _Position] = {}
        self._queue: asyncio.Queue[_Item] | None = None
        self._task: asyncio.Task[None] | None = None
        self._saved: dict[tuple[str, int], int] = {}
        self._saved_at = 0.0
        self.failure: BaseException | None = None
        self.is_assigned = False

    def register(self, app: faust.App, topic: faust.TopicT) -> None:
        """Attach to the app."""

        @app.agent(topic, name="index", concurrency=1)
        async def index(stream: Any) -> None:
            self._start(app)
            async for event in stream.noack().events():
                await self._take(event)

        app.on_partitions_assigned.connect(self._note_assigned)
        app.on_partitions_revoked.connect(self._forget)

    async def _take(self, event: Any) -> None:
        message = event.message
        position = await self._position(message.topic, message.partition)
        if message.offset > position.expected:
            await self._read_skipped(message.topic, message.partition, message.offset)
        position.expected = max(position.expected, message.offset + 1)
        await self._put(_Item(message.topic, message.partition, message.offset, message.key, message.value, event))

    async def _read_skipped(self, topic: str, partition: int, until: int) -> None:
        """Read offsets that Faust did not give, before anything later is indexed."""
        position = self._positions[topic, partition]
        self._stage.counters.skipped.inc(until - position.expected)
        _log.warning("offsets skipped, reading them again", topic=topic, partition=partition)
        records = await patiently(lambda: list(self._stage.log.read(topic, partition, position.expected, until)))
        for record in records:
            await self._put(_Item(topic, partition, record.offset, record.key, record.value))

    async def _position(self, topic: str, partition: int) -> _Position:
        key = (topic, partition)
        if key not in self._positions:
            done = await patiently(self._stage.log.progress, topic, partition)
            self._positions[key] = _Position(done, done)
        return self._positions[key]

    async def _put(self, item: _Item) -> None:
        assert self._queue is not None
        await self._queue.put(item)

    def _start(self, app: faust.App) -> None:
        if self._task is None or self._task.done():
            self._queue = asyncio.Queue(_QUEUE_ITEMS)
            self._task = asyncio.create_task(self._index_for_ever(app, self._queue))

    async def _index_for_ever(self, app: faust.App, queue: asyncio.Queue[_Item]) -> None:
        try:
            while not app.should_stop:
                items = await _batch(queue)
                if items:
                    await self._index(items)
                await self._save_progress()
        except Exception as error:  # noqa: BLE001 - the task's top: the process ends with this error
            self.failure = error
            await app.crash(error)

    async def _index(self, items: Sequence[_Item]) -> None:
        decoded: list[tuple[_Item, Document]] = []
        if self._stage.notable is not None:
            await self._stage.notable.load()
        for item in items:
            try:
                record = await self._decode(item)
            except DecodeError as error:
                await self._refuse(item, str(error))
                continue
            topic = self._stage.topics[item.topic]
            decoded.append((item, self._document(topic, record)))
        outcome = await self._stage.index.index([document for _, document in decoded])
        reasons = dict(outcome.refused)
        for number, (item, _) in enumerate(decoded):
            if number in reasons:
                await self._refuse(item, reasons[number])
            elif not self._is_dead_letter(item):
                self._stage.share.accept()
        if self._stage.notable is not None:
            await self._stage.notable.save()
            self._stage.notable.tell(self._stage.counters)
        await self._stage.dead_letters.delivered()
        self._stage.counters.refused_share.set(self._stage.share.value)
        self._stage.share.check()
        await self._give_back(items)

    def _document(self, topic: Topic, record: Record) -> Document:
        document = document_of(topic, record, self._stage.namespace)
        return document if self._stage.notable is None else self._stage.notable.choose(topic, record, document)

    async def _decode(self, item: _Item) -> Record:
        """Waits while a registry that has to be asked is away. Raises DecodeError, or RegistryError when it refuses."""
        codec = self._codecs[item.topic]
        try:
            return codec.decode(item.value or b"")
        except UnknownSchemaError as unknown:
            codec.learn(unknown.registry_id, await patiently(self._stage.registry.schema, unknown.registry_id))
        return codec.decode(item.value or b"")

    async def _refuse(self, item: _Item, reason: str) -> None:
        """To the dead letters; a dead letter that cannot be indexed stays in its topic alone."""
        self._stage.counters.refused.inc()
        if self._is_dead_letter(item):
            _log.warning("a dead letter cannot be indexed", offset=item.offset, reason=reason)
            return
        self._stage.share.refuse(reason)
        refused = Refused("index", reason, item.topic, item.partition, item.offset, item.key, item.value)
        record = dead_letter(self._stage.cluster, refused, time.time_ns())
        await self._stage.dead_letters.send(DEAD_LETTER, item.topic, record)

    def _is_dead_letter(self, item: _Item) -> bool:
        return self._stage.topics[item.topic] is DEAD_LETTER

    async def _give_back(self, items: Sequence[_Item]) -> None:
        for item in items:
            position = self._positions.get((item.topic, item.partition))
            if position is not None:
                position.done = max(position.done, item.offset + 1)
            if item.event is not None:
                item.event.ack()

    async def _save_progress(self) -> None:
        now = time.monotonic()
        done = {key: position.done for key, position in self._positions.items()}
        is_due = now - self._saved_at >= _PROGRESS_SECONDS
        if done and done != self._saved and is_due and await if_possible(self._stage.log.save_progress, done):
            self._saved, self._saved_at = done, now

    async def _note_assigned(self, _app: Any, /, *_: Any, **__: Any) -> None:
        self.is_assigned = True
        if self._stage.notable is not None:
            self._stage.notable.forget_loaded()

    async def _forget(self, _app: Any, /, *revoked: Any, **_: Any) -> None:
        for position in revoked[0]:
            self._positions.pop((position.topic, position.partition), None)


async def _batch(queue: asyncio.Queue[_Item]) -> list[_Item]:
    """What comes within the linger time, up to a batch; nothing when nothing comes."""
    items: list[_Item] = []
    deadline = time.monotonic() + _LINGER_SECONDS
    while len(items) < _BATCH_DOCUMENTS and (left := deadline - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                items.append(await queue.get())
        except TimeoutError:
            break
    return items
