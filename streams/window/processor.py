"""Faust glue of the flows stage: messages in, steps and windows out, offsets given back when results are final."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import faust
import polars as pl
import structlog

from schemas.errors import DecodeError
from schemas.topic import DEAD_LETTER, FLOWS, POLICY_HITS, WINDOWS
from streams.policy.hits import hits
from streams.policy.knowledge import Names
from streams.result.deadletter import Refused, dead_letter
from streams.result.writer import ResultWriter
from streams.source.part import Part, PartDecoder
from streams.source.processor import if_possible, patiently
from streams.source.reader import LogReader, LogRecord
from streams.source.share import RefusalShare
from streams.window.aggregate import aggregate
from streams.window.counters import FlowCounters
from streams.window.evaluate import Beside, Evaluation, evaluate_step, revision
from streams.window.flow import Stamp, flow_records
from streams.window.ledger import Ledger, Step
from streams.window.record import hit_records, window_records
from streams.window.spans import Spans

_TICK_SECONDS = 0.25
_AMEND_SECONDS = 2.0
READ_TOGETHER = 32
"""Messages that are decoded at once; what came is never left for longer than a tick."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FlowStage:
    """What the flows stage is made of."""

    cluster: str
    topic: str
    """Full name of flows.raw."""
    spans: Spans
    decoder: PartDecoder
    log: LogReader
    writer: ResultWriter
    names: Callable[[], Names]
    """What is known now."""
    counters: FlowCounters
    share: RefusalShare


@dataclass(slots=True)
class _Partition:
    """One assigned partition."""

    number: int
    ledger: Ledger
    final: int
    """First offset that is not final."""
    expected: int
    """Next offset, if none is skipped."""
    arrived: list[LogRecord] = field(default_factory=list)
    """Messages that are not decoded yet: many at once cost far less than one by one."""
    events: dict[int, Any] = field(default_factory=dict)
    """Faust events whose acknowledgement is held, by offset."""
    evaluations: dict[int, Evaluation] = field(default_factory=dict)
    """By the step's start."""
    dirty: set[int] = field(default_factory=set)
    """Windows with a step that was emitted since they were."""
    emitted: set[int] = field(default_factory=set)
    version: int = 0
    """Of the metadata, when amendments were last looked for."""
    amended_at: float = 0.0


class FlowProcessor:
    """Consumes flows.raw. Everything that decides anything is a pure function of the modules it calls."""

    def __init__(self, stage: FlowStage) -> None:
        self._stage = stage
        self._partitions: dict[int, _Partition] = {}
        self._lock = asyncio.Lock()
        self._ticker: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None
        self.is_assigned = False

    def register(self, app: faust.App, topic: faust.TopicT) -> None:
        """Attach to the app."""

        @app.agent(topic, name="flows", concurrency=1)
        async def flows(stream: Any) -> None:
            self._start_ticker(app)
            async for event in _events(stream):
                await self.take(event)

        app.on_partitions_assigned.connect(self._note_assigned)
        app.on_partitions_revoked.connect(self._forget)

    async def take(self, event: Any) -> None:
        """Hold one message, and whatever Faust skipped before it."""
        message = event.message
        async with self._lock:
            partition = await self._partition(message.partition)
            if message.offset < partition.final:
                event.ack()
                return
            if message.offset > partition.expected:
                await self._read_skipped(partition, message.offset)
            partition.events[message.offset] = event
            partition.expected = max(partition.expected, message.offset + 1)
            partition.arrived.append(LogRecord(message.offset, message.key, message.value))
            message.value = event.value = None  # an event is held until its rows are final
            if len(partition.arrived) >= READ_TOGETHER:
                await self._hold_arrived(partition)

    async def tick(self) -> None:
        """Emit what is due and give back what is final, in every partition. Raises StreamError when it must stop."""
        self._stage.counters.refused_share.set(self._stage.share.value)
        self._stage.share.check()
        for partition in list(self._partitions.values()):
            async with self._lock:
                await self._hold_arrived(partition)
                await self._advance(partition, time.time_ns())

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
            for position in revoked[0]:
                if position.topic == self._stage.topic:
                    self._partitions.pop(position.partition, None)

    async def _partition(self, number: int) -> _Partition:
        if number not in self._partitions:
            final = await patiently(self._stage.log.progress, self._stage.topic, number)
            ledger = Ledger(self._stage.spans, time.time_ns())
            self._partitions[number] = _Partition(number, ledger, final, final)
            _log.info("partition assigned", partition=number, offset=final)
        return self._partitions[number]

    async def _read_skipped(self, partition: _Partition, until: int) -> None:
        """Read offsets that Faust did not give, before anything later is counted."""
        self._stage.counters.skipped.inc(until - partition.expected)
        _log.warning("offsets skipped, reading them again", partition=partition.number, start=partition.expected,
                     end=until)  # fmt: skip
        await self._hold_arrived(partition)
        await self._hold(partition, await self._read(partition.number, partition.expected, until))
        partition.expected = until

    async def _hold_arrived(self, partition: _Partition) -> None:
        arrived, partition.arrived = partition.arrived, []
        await self._hold(partition, arrived)

    async def _hold(self, partition: _Partition, records: list[LogRecord]) -> None:
        for record, part in zip(records, self._decoded(records), strict=True):
            if isinstance(part, DecodeError):
                await self._refuse(partition, record, str(part))
                continue
            self._stage.share.accept()
            await self._restore(partition, part)
            added = partition.ledger.add(part, time.time_ns())
            self._stage.counters.note(part, added)

    def _decoded(self, records: list[LogRecord]) -> list[Part | DecodeError]:
        messages = [(record.offset, record.value or b"") for record in records]
        return self._stage.decoder.decode_all(messages, time.time_ns())

    async def _refuse(self, partition: _Partition, record: LogRecord, reason: str) -> None:
        refused = Refused("flows", reason, self._stage.topic, partition.number, record.offset, record.key, record.value)
        self._stage.counters.refused.inc()
        self._stage.share.refuse(reason)
        letter = dead_letter(self._stage.cluster, refused, time.time_ns())
        await self._stage.writer.send(DEAD_LETTER, self._stage.topic, letter)

    async def _restore(self, partition: _Partition, part: Part) -> None:
        """Before a part of a window that is not whole is added, read the window's other parts from the log."""
        pending = partition.ledger.needs_restoring(part)
        while pending:
            window = pending.pop()
            partition.ledger.begin_window(window)
            self._stage.counters.restored.inc()
            for other in await self._read_window(partition, window, part.offset):
                pending += [missing for missing in partition.ledger.needs_restoring(other) if missing not in pending]
                partition.ledger.add(other, time.time_ns())

    async def _read_window(self, partition: _Partition, window_ns: int, until: int) -> list[Part]:
        start = await patiently(self._stage.log.offset_at, self._stage.topic, partition.number, window_ns)
        if start is None or start >= until:
            return []
        end = window_ns + self._stage.spans.size_ns
        found = self._decoded(await self._read(partition.number, start, until))
        return [
            part
            for part in found  # what is refused went to the dead letters when it was first met
            if isinstance(part, Part) and part.batch.interval_start_ns < end and part.batch.interval_end_ns > window_ns
        ]

    async def _read(self, number: int, start: int, end: int) -> list[LogRecord]:
        return await patiently(lambda: list(self._stage.log.read(self._stage.topic, number, start, end)))

    async def _advance(self, partition: _Partition, now_ns: int) -> None:
        names = self._stage.names()
        for step in partition.ledger.due(now_ns):
            await self._emit_step(partition, step, names)
        for step in partition.ledger.settle(now_ns):
            if partition.evaluations[step.start_ns].has_orphans:
                await self._emit_step(partition, step, names)
        await self._amend(partition, names)
        for window in sorted(partition.dirty):
            if partition.ledger.is_closed(window, now_ns):
                await self._emit_window(partition, window, names)
        final = [window for window in sorted(partition.ledger.windows) if partition.ledger.is_final(window, now_ns)]
        if final:
            await self._stage.writer.delivered()
            await self._give_back(partition, final)

    async def _emit_step(self, partition: _Partition, step: Step, names: Names) -> None:
        ledger = partition.ledger
        await self._retain_before(partition, step)
        evaluation = _evaluate(ledger, step, names)
        replaces = ledger.may_replace(step.start_ns, step.was_emitted)
        number = revision(len(step.covering), step.is_settled, names.directory.version)
        ledger.close(step)
        partition.evaluations[step.start_ns] = evaluation
        partition.dirty.add(self._stage.spans.window_of(step.start_ns))
        end = step.start_ns + self._stage.spans.step_ns
        stamp = Stamp(self._stage.cluster, partition.number, number, replaces, step.start_ns, end)
        for key, record in flow_records(evaluation.judged, names.directory, stamp):
            await self._stage.writer.send(FLOWS, key, record)
        self._stage.counters.note_step(evaluation)

    async def _retain_before(self, partition: _Partition, step: Step) -> None:
        """What one end alone saw is judged by the steps before too, which may be final since long."""
        for missing in partition.ledger.missing_before(step) if step.is_settled else ():
            parts = await self._read_window(partition, self._stage.spans.window_of(missing), partition.expected)
            found = [part for part in parts if self._stage.spans.step_of(part.batch.interval_start_ns) == missing]
            partition.ledger.retain(missing, found)

    async def _amend(self, partition: _Partition, names: Names) -> None:
        """Name again what had no name when its step closed, now that more is known."""
        now = time.monotonic()
        if names.directory.version == partition.version or now - partition.amended_at < _AMEND_SECONDS:
            return
        partition.version, partition.amended_at = names.directory.version, now
        ledger = partition.ledger
        for window in sorted(ledger.windows):
            for step in ledger.window_steps(window):
                evaluation = partition.evaluations.get(step.start_ns)
                if step.is_open or evaluation is None or not evaluation.has_unknown:
                    continue
                await self._retain_before(partition, step)
                if not _evaluate(ledger, step, names).judged.equals(evaluation.judged):
                    self._stage.counters.amended.inc()
                    await self._emit_step(partition, step, names)

    async def _emit_window(self, partition: _Partition, window_ns: int, names: Names) -> None:
        ledger = partition.ledger
        steps = ledger.window_steps(window_ns)
        judged = [partition.evaluations[step.start_ns].judged for step in steps]
        number = revision(
            sum(len(step.covering) for step in steps), all(step.is_settled for step in steps), names.directory.version
        )
        replaces = ledger.may_replace(window_ns, window_ns in partition.emitted)
        end = window_ns + self._stage.spans.size_ns
        stamp = Stamp(self._stage.cluster, partition.number, number, replaces, window_ns, end)
        rows = pl.concat(judged)
        for key, record in window_records(aggregate(rows, names.directory), names.directory, stamp):
            await self._stage.writer.send(WINDOWS, key, record)
        for key, record in hit_records(hits(rows, names.policies), stamp):
            await self._stage.writer.send(POLICY_HITS, key, record)
        partition.dirty.discard(window_ns)
        partition.emitted.add(window_ns)
        self._stage.counters.windows.inc()

    async def _give_back(self, partition: _Partition, windows: list[int]) -> None:
        """Acknowledge the offsets of final windows, and commit the first offset that is not final."""
        for window in windows:
            for offset in partition.ledger.drop(window):
                event = partition.events.pop(offset, None)
                if event is not None:
                    event.ack()
            partition.emitted.discard(window)
            for start in self._stage.spans.steps_of(window):
                partition.evaluations.pop(start, None)
        held = [offset for offset in partition.ledger.offsets() if offset >= partition.final]
        partition.final = min(held, default=partition.expected)
        for offset in [offset for offset in partition.events if offset < partition.final]:
            partition.events.pop(offset).ack()  # what was no batch, or was there twice
        positions = {(self._stage.topic, partition.number): partition.final}
        await if_possible(self._stage.log.save_progress, positions)


def _evaluate(ledger: Ledger, step: Step, names: Names) -> Evaluation:
    beside = Beside(ledger.neighbours(step), ledger.earlier(step))
    return evaluate_step(ledger.step_parts(step), beside, ledger.reporting_nodes(step), names, step.is_settled)


async def _events(stream: Any) -> AsyncIterator[Any]:
    """Events whose acknowledgement is ours to give."""
    async for event in stream.noack().events():
        yield event
