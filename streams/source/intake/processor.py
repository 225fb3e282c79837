"""Faust glue of every stage that reads raw topics: parts in the order of the log, offsets given back by the stage.

What Faust skips is read again, what is no batch goes to the dead letters, and the process ends with the first failure.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import faust
import structlog
from prometheus_client import Counter, Gauge

from schemas.batch import Batch
from schemas.errors import DecodeError
from schemas.topic import DEAD_LETTER
from streams.result.deadletter import Refused, dead_letter
from streams.result.writer import ResultWriter
from streams.source.part import Part, PartDecoder
from streams.source.processor import if_possible, patiently
from streams.source.reader import LogReader, LogRecord
from streams.source.share import RefusalShare

_TICK_SECONDS = 0.25
READ_TOGETHER = 32
"""Messages that are decoded at once; what came is never left for longer than a tick."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IntakeCounters:
    """Figures of what comes in."""

    refused: Counter
    skipped: Counter
    refused_share: Gauge


@dataclass(frozen=True, slots=True)
class Source:
    """What raw topics are read with."""

    cluster: str
    stage: str
    """As Faust and the dead letters call it."""
    decoders: Mapping[str, PartDecoder]
    """By the full name of the topic."""
    log: LogReader
    writer: ResultWriter
    """Of the dead letters."""
    counters: IntakeCounters
    share: RefusalShare


@dataclass(slots=True)
class Position:
    """How far one assigned partition has been read."""

    topic: str
    number: int
    final: int
    """First offset whose results are not final."""
    expected: int
    """Next offset, if none is skipped."""
    arrived: list[LogRecord] = field(default_factory=list)
    """Messages that are not decoded yet: many at once cost far less than one by one."""
    events: dict[int, Any] = field(default_factory=dict)
    """Faust events whose acknowledgement is held, by offset."""


class Taker(Protocol):
    """The stage: what becomes of the parts."""

    async def hold(self, position: Position, part: Part) -> None:
        """Take a part in."""

    async def advance(self, position: Position, now_ns: int) -> None:
        """Emit what is due and give back what is final."""

    def forget(self, position: Position) -> None:
        """Another worker has the partition now."""


class Intake:
    """Consumes raw topics for a stage."""

    def __init__(self, source: Source, taker: Taker) -> None:
        self._source = source
        self._taker = taker
        self._positions: dict[tuple[str, int], Position] = {}
        self._lock = asyncio.Lock()
        self._ticker: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None
        self.is_assigned = False

    def register(self, app: faust.App, topic: faust.TopicT) -> None:
        """Attach to the app."""

        @app.agent(topic, name=self._source.stage, concurrency=1)
        async def take_in(stream: Any) -> None:
            self._start_ticker(app)
            async for event in stream.noack().events():  # their acknowledgement is ours to give
                await self.take(event)

        app.on_partitions_assigned.connect(self._note_assigned)
        app.on_partitions_revoked.connect(self._forget)

    async def take(self, event: Any) -> None:
        """Hold one message, and whatever Faust skipped before it."""
        message = event.message
        async with self._lock:
            position = await self._position(message.topic, message.partition)
            if message.offset < position.final:
                event.ack()
                return
            if message.offset > position.expected:
                await self._read_skipped(position, message.offset)
            position.events[message.offset] = event
            position.expected = max(position.expected, message.offset + 1)
            position.arrived.append(LogRecord(message.offset, message.key, message.value))
            message.value = event.value = None  # an event is held until its rows are final
            if len(position.arrived) >= READ_TOGETHER:
                await self._hold_arrived(position)

    async def tick(self) -> None:
        """Let the stage emit, in every partition. Raises StreamError when it must stop."""
        self._source.counters.refused_share.set(self._source.share.value)
        self._source.share.check()
        for position in list(self._positions.values()):
            async with self._lock:
                if (position.topic, position.number) in self._positions:
                    await self._hold_arrived(position)
                    await self._taker.advance(position, time.time_ns())

    async def read(self, position: Position, start: int, end: int) -> list[LogRecord]:
        """Messages with offsets in [start, end), waiting for the broker."""
        return await patiently(lambda: list(self._source.log.read(position.topic, position.number, start, end)))

    async def offset_at(self, position: Position, at_ns: int) -> int | None:
        """First offset produced at or after an instant; None when there is none."""
        return await patiently(self._source.log.offset_at, position.topic, position.number, at_ns)

    def decode(self, position: Position, records: list[LogRecord]) -> list[Part | DecodeError]:
        """A part for each message, or the reason why there is none."""
        messages = [(record.offset, record.value or b"") for record in records]
        return self._source.decoders[position.topic].decode_all(messages, time.time_ns())

    def batches(self, position: Position, records: list[LogRecord]) -> list[Batch]:
        """What messages say of themselves, for a fraction of what their rows cost."""
        messages = [(record.offset, record.value or b"") for record in records]
        return self._source.decoders[position.topic].batches(messages, time.time_ns())

    def release(self, position: Position, offsets: list[int]) -> None:
        """Acknowledge what is final before everything ahead of it is."""
        for offset in offsets:
            event = position.events.pop(offset, None)
            if event is not None:
                event.ack()

    async def settle(self, position: Position, final: int) -> None:
        """Commit the first offset that is not final, and acknowledge all before it."""
        position.final = final
        # Those that nothing holds were no batch, or were there twice.
        self.release(position, [offset for offset in position.events if offset < final])
        await if_possible(self._source.log.save_progress, {(position.topic, position.number): final})

    def _start_ticker(self, app: faust.App) -> None:
        if self._ticker is None or self._ticker.done():
            self._ticker = asyncio.create_task(self._tick_for_ever(app))

    async def _tick_for_ever(self, app: faust.App) -> None:
        try:
            while not app.should_stop:
                await self.tick()
                await asyncio.sleep(_TICK_SECONDS)
        except Exception as error:  # noqa: BLE001 - the task's top: the process ends with this error
            self.failure = error
            await app.crash(error)

    async def _note_assigned(self, _app: Any, /, *_: Any, **__: Any) -> None:
        self.is_assigned = True

    async def _forget(self, _app: Any, /, *revoked: Any, **_: Any) -> None:
        """Whoever gets the partition next reads from the first offset that is not final."""
        async with self._lock:
            for lost in revoked[0]:
                position = self._positions.pop((lost.topic, lost.partition), None)
                if position is not None:
                    self._taker.forget(position)

    async def _position(self, topic: str, number: int) -> Position:
        if (topic, number) not in self._positions:
            final = await patiently(self._source.log.progress, topic, number)
            self._positions[topic, number] = Position(topic, number, final, final)
            _log.info("partition assigned", topic=topic, partition=number, offset=final)
        return self._positions[topic, number]

    async def _read_skipped(self, position: Position, until: int) -> None:
        """Read offsets that Faust did not give, before anything later is counted."""
        self._source.counters.skipped.inc(until - position.expected)
        _log.warning("offsets skipped, reading them again", topic=position.topic, partition=position.number,
                     start=position.expected, end=until)  # fmt: skip
        await self._hold_arrived(position)
        await self._hold(position, await self.read(position, position.expected, until))
        position.expected = until

    async def _hold_arrived(self, position: Position) -> None:
        arrived, position.arrived = position.arrived, []
        await self._hold(position, arrived)

    async def _hold(self, position: Position, records: list[LogRecord]) -> None:
        for record, part in zip(records, self.decode(position, records), strict=True):
            if isinstance(part, DecodeError):
                await self._refuse(position, record, str(part))
                continue
            self._source.share.accept()
            await self._taker.hold(position, part)

    async def _refuse(self, position: Position, record: LogRecord, reason: str) -> None:
        source = self._source
        refused = Refused(
            source.stage, reason, position.topic, position.number, record.offset, record.key, record.value
        )
        source.counters.refused.inc()
        source.share.refuse(reason)
        await source.writer.send(DEAD_LETTER, position.topic, dead_letter(source.cluster, refused, time.time_ns()))
