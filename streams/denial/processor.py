"""Faust glue of the denials stage: what nodes told goes out, named and judged, as soon as its names are known.

No grace and no step: every quarter of a second what is here is looked at. Offsets are given back when Kafka has the
records, so a worker that was killed tells again, under the same ids.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from schemas.topic import DENIALS
from streams.denial.counters import DenialCounters
from streams.denial.evaluate import evaluate, is_echo, unnamed
from streams.denial.nearest import NearestMisses
from streams.denial.record import cut_record, denial_records
from streams.denial.waiting import Waiting
from streams.policy.knowledge import Names
from streams.result.writer import ResultWriter
from streams.source.intake.processor import Intake, Position, Source
from streams.source.part import Part


@dataclass(frozen=True, slots=True)
class DenialStage:
    """What the denials stage is made of."""

    cluster: str
    source: Source
    writer: ResultWriter
    names: Callable[[], Names]
    """What is known now."""
    counters: DenialCounters
    misses: NearestMisses = field(default_factory=NearestMisses)


class DenialProcessor:
    """Makes records of denials.raw. Whatever decides anything is a pure function of the modules it calls."""

    def __init__(self, stage: DenialStage) -> None:
        self._stage = stage
        self._waiting: dict[int, Waiting] = {}
        self.intake = Intake(stage.source, self)

    async def hold(self, position: Position, part: Part) -> None:
        """Take a part in."""
        is_new = self._waiting_of(position).add(part, time.time_ns())
        (self._stage.counters.parts if is_new else self._stage.counters.duplicates).inc()
        cut = cut_record(self._stage.cluster, part.batch) if is_new else None
        if cut is not None:
            self._stage.counters.cut.inc(cut[1]["count"])
            await self._stage.writer.send(DENIALS, *cut)

    async def advance(self, position: Position, now_ns: int) -> None:
        """Emit what need not wait; when Kafka has it, give its offsets back."""
        waiting = self._waiting_of(position)
        if len(waiting):
            is_kept = await self._emit(waiting, now_ns)
            await self._stage.writer.delivered()
            waiting.keep(is_kept)
        final = min(waiting.offsets(), default=position.expected)
        if final > position.final:
            await self.intake.settle(position, final)

    def forget(self, position: Position) -> None:
        """Another worker has the partition now."""
        self._waiting.pop(position.number, None)

    def _waiting_of(self, position: Position) -> Waiting:
        return self._waiting.setdefault(position.number, Waiting())

    async def _emit(self, waiting: Waiting, now_ns: int) -> pl.Series:
        """Returns which rows stay."""
        held = waiting.rows()
        if not held.height:  # only what was cut was told
            return pl.Series("is_kept", [], dtype=pl.Boolean)
        names = self._stage.names()
        evaluation = evaluate(held, names)
        is_kept = evaluation.is_open & ~waiting.is_over(now_ns)
        is_echoed = is_echo(evaluation.rows)
        self._stage.counters.echoes.inc(int((is_echoed & ~is_kept).sum()))
        rows = evaluation.rows.filter(~is_kept & ~is_echoed)
        for key, record in denial_records(rows, names, self._stage.misses, self._stage.cluster):
            await self._stage.writer.send(DENIALS, key, record)
        self._count(rows, now_ns)
        return is_kept

    def _count(self, rows: pl.DataFrame, now_ns: int) -> None:
        counters = self._stage.counters
        counters.unnamed.inc(unnamed(rows))
        for action, started_at_ns in rows.select("action", "started_at_ns").iter_rows():
            counters.records.labels(action).inc()
            counters.age.observe(max(0, now_ns - started_at_ns) / 1e9)
