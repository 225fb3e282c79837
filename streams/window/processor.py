"""Faust glue of the flows stage: parts in, steps and windows out, offsets given back when results are final."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import polars as pl

from schemas.topic import FLOWS, NODES, POLICY_HITS, WINDOWS, Topic
from streams.policy.hits import hits
from streams.policy.knowledge import Names
from streams.result.writer import ResultWriter
from streams.source.intake.processor import Intake, Position, Source
from streams.source.part import Part
from streams.window.aggregate import aggregate
from streams.window.counters import FlowCounters
from streams.window.empty_span import empty_span
from streams.window.evaluate import Beside, Evaluation, evaluate_step, revision
from streams.window.flow import Row, Stamp, flow_records
from streams.window.ledger import Ledger, Step
from streams.window.node_status import is_announcement, node_status
from streams.window.record import hit_records, window_records
from streams.window.spans import Spans

_AMEND_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FlowStage:
    """What the flows stage is made of."""

    cluster: str
    spans: Spans
    source: Source
    """Of flows.raw."""
    writer: ResultWriter
    names: Callable[[], Names]
    """What is known now."""
    counters: FlowCounters


@dataclass(slots=True)
class _Partition:
    """One assigned partition."""

    position: Position
    ledger: Ledger
    evaluations: dict[int, Evaluation] = field(default_factory=dict)
    """By the step's start."""
    dirty: set[int] = field(default_factory=set)
    """Windows with a step that was emitted since they were."""
    emitted: set[int] = field(default_factory=set)
    version: int = 0
    """Of the metadata, when amendments were last looked for."""
    amended_at: float = 0.0

    @property
    def number(self) -> int:
        return self.position.number


class FlowProcessor:
    """Makes flows of flows.raw. Everything that decides anything is a pure function of the modules it calls."""

    def __init__(self, stage: FlowStage) -> None:
        self._stage = stage
        self._partitions: dict[int, _Partition] = {}
        self.intake = Intake(stage.source, self)

    async def hold(self, position: Position, part: Part) -> None:
        """Take a part in, and those of its windows that are not held."""
        partition = self._partition(position)
        await self._restore(partition, part)
        added = partition.ledger.add(part, time.time_ns())
        self._stage.counters.note(part, added)
        if is_announcement(part.batch) and not added.is_duplicate:
            await self._stage.writer.send(NODES, part.batch.node, node_status(part.batch))

    async def advance(self, position: Position, now_ns: int) -> None:
        """Emit what is due and give back what is final."""
        await self._advance(self._partition(position), now_ns)

    def forget(self, position: Position) -> None:
        """Another worker has the partition now."""
        self._partitions.pop(position.number, None)

    def _partition(self, position: Position) -> _Partition:
        if position.number not in self._partitions:
            self._partitions[position.number] = _Partition(position, Ledger(self._stage.spans, time.time_ns()))
        return self._partitions[position.number]

    async def _restore(self, partition: _Partition, part: Part) -> None:
        """Before a part of a window that is not whole is added, read the window's other parts from the log."""
        ledger = partition.ledger
        pending = [*dict.fromkeys([*ledger.needs_restoring(part), *ledger.judged_by(part)])]
        while pending:
            window = pending.pop()
            partition.ledger.begin_window(window)
            self._stage.counters.restored.inc()
            for other in await self._read_window(partition, window, part.offset):
                pending += [missing for missing in partition.ledger.needs_restoring(other) if missing not in pending]
                partition.ledger.add(other, time.time_ns())

    async def _read_window(self, partition: _Partition, window_ns: int, until: int) -> list[Part]:
        start = await self.intake.offset_at(partition.position, window_ns)
        if start is None or start >= until:
            return []
        end = window_ns + self._stage.spans.size_ns
        found = self.intake.decode(partition.position, await self.intake.read(partition.position, start, until))
        return [
            part
            for part in found  # what is refused went to the dead letters when it was first met
            if isinstance(part, Part) and part.batch.interval_start_ns < end and part.batch.interval_end_ns > window_ns
        ]

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
        await self._retain_beside(partition, step)
        evaluation = _evaluate(ledger, step, names)
        replaces = ledger.may_replace(step.start_ns, step.was_emitted)
        context = names.directory.version + ledger.parts_beside(step)
        number = revision(len(step.covering), step.is_settled, context)
        ledger.close(step)
        partition.evaluations[step.start_ns] = evaluation
        partition.dirty.add(self._stage.spans.window_of(step.start_ns))
        end = step.start_ns + self._stage.spans.step_ns
        stamp = Stamp(self._stage.cluster, partition.number, number, replaces, step.start_ns, end)
        await self._send(FLOWS, stamp, flow_records(evaluation.judged, names.directory, stamp))
        self._stage.counters.note_step(evaluation)

    async def _retain_beside(self, partition: _Partition, step: Step) -> None:
        """What one end alone saw is judged by the steps beside too, which may be final since long."""
        for missing in partition.ledger.missing_beside(step) if step.is_settled else ():
            window = self._stage.spans.window_of(missing)
            parts = await self._read_window(partition, window, partition.position.expected)
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
                await self._retain_beside(partition, step)
                if not _evaluate(ledger, step, names).judged.equals(evaluation.judged):
                    self._stage.counters.amended.inc()
                    await self._emit_step(partition, step, names)

    async def _emit_window(self, partition: _Partition, window_ns: int, names: Names) -> None:
        ledger = partition.ledger
        steps = ledger.window_steps(window_ns)
        judged = [partition.evaluations[step.start_ns].judged for step in steps]
        context = names.directory.version + sum(map(ledger.parts_beside, steps))
        number = revision(sum(len(step.covering) for step in steps), all(step.is_settled for step in steps), context)
        replaces = ledger.may_replace(window_ns, window_ns in partition.emitted)
        end = window_ns + self._stage.spans.size_ns
        stamp = Stamp(self._stage.cluster, partition.number, number, replaces, window_ns, end)
        rows = pl.concat(judged)
        groups = aggregate(rows, names.directory)
        await self._send(WINDOWS, stamp, window_records(groups, names.directory, stamp))
        await self._send(POLICY_HITS, stamp, hit_records(hits(rows, names.policies), stamp))
        partition.dirty.discard(window_ns)
        partition.emitted.add(window_ns)
        self._stage.counters.windows.inc()

    async def _send(self, topic: Topic, stamp: Stamp, records: Iterable[tuple[str, Row]]) -> None:
        """All records of an emission; of an empty one that it is empty, where an earlier one may not have been."""
        is_empty = True
        for key, record in records:
            await self._stage.writer.send(topic, key, record)
            is_empty = False
        if is_empty and stamp.replaces:
            await self._stage.writer.send(topic, "", empty_span(topic, stamp))

    async def _give_back(self, partition: _Partition, windows: list[int]) -> None:
        """Acknowledge the offsets of final windows, and commit the first offset that is not final."""
        position = partition.position
        for window in windows:
            self.intake.release(position, partition.ledger.drop(window))
            partition.emitted.discard(window)
            for start in self._stage.spans.steps_of(window):
                partition.evaluations.pop(start, None)
        held = [offset for offset in partition.ledger.offsets() if offset >= position.final]
        await self.intake.settle(position, min(held, default=position.expected))


def _evaluate(ledger: Ledger, step: Step, names: Names) -> Evaluation:
    beside = Beside(ledger.neighbours(step), ledger.earlier(step))
    return evaluate_step(ledger.step_parts(step), beside, ledger.reporting_nodes(step), names, step.is_settled)
