"""Faust glue of the exchanges stage: parts in, records out, offsets given back when Kafka has the records."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from streams.exchange.counters import ExchangeCounters
from streams.exchange.cut import cut_of
from streams.exchange.evaluate import evaluate_part
from streams.exchange.kind import Kind
from streams.exchange.ledger import Ledger
from streams.exchange.record import Origin
from streams.policy.knowledge import Names
from streams.result.writer import ResultWriter
from streams.source.intake.processor import Intake, Position, Source
from streams.source.part import Part

_READ_MESSAGES = 2000
"""Of the log at once, when reports are read again."""


@dataclass(frozen=True, slots=True)
class ExchangeStage:
    """What the exchanges stage is made of."""

    cluster: str
    grace_ns: int
    kinds: Mapping[str, Kind]
    """By the full name of the raw topic."""
    source: Source
    """Of the raw topics."""
    writer: ResultWriter
    names: Callable[[], Names]
    """What is known now."""
    counters: ExchangeCounters
    namespaces: Sequence[str] = ()
    """Those that are watched; none for all."""


class ExchangeProcessor:
    """Makes records of dns.raw and l7.raw. Whatever decides anything is a pure function of the modules it calls."""

    def __init__(self, stage: ExchangeStage) -> None:
        self._stage = stage
        self._ledgers: dict[tuple[str, int], Ledger] = {}
        self.intake = Intake(stage.source, self)

    async def hold(self, position: Position, part: Part) -> None:
        """Take a part in, and note what was reported around it before this worker had the partition."""
        ledger = self._ledger(position)
        missing_from = ledger.missing_from(part)
        if missing_from is not None:
            await self._note_earlier(position, ledger, missing_from)
        is_late = ledger.is_late(part)
        is_new = ledger.add(part, time.time_ns())
        self._stage.counters.note(self._stage.kinds[position.topic].result.name, part, is_new=is_new, is_late=is_late)

    async def advance(self, position: Position, now_ns: int) -> None:
        """Emit what is due; when Kafka has it, give its offsets back."""
        ledger = self._ledger(position)
        due = ledger.due(now_ns)
        if due:
            names = self._stage.names()
            for part in due:
                await self._emit(self._stage.kinds[position.topic], part, ledger, names)
            await self._stage.writer.delivered()
            ledger.drop(due)
        final = min(ledger.offsets(), default=position.expected)
        if final > position.final:
            await self.intake.settle(position, final)

    def forget(self, position: Position) -> None:
        """Another worker has the partition now."""
        self._ledgers.pop((position.topic, position.number), None)

    def _ledger(self, position: Position) -> Ledger:
        key = (position.topic, position.number)
        if key not in self._ledgers:
            self._ledgers[key] = Ledger(self._stage.grace_ns, position.final)
        return self._ledgers[key]

    async def _note_earlier(self, position: Position, ledger: Ledger, from_ns: int) -> None:
        start = await self.intake.offset_at(position, from_ns)
        end = ledger.first_offset
        while start is not None and start < end:
            records = await self.intake.read(position, start, min(start + _READ_MESSAGES, end))
            ledger.note_earlier(from_ns, self.intake.batches(position, records))
            start += _READ_MESSAGES
        ledger.note_earlier(from_ns, ())

    async def _emit(self, kind: Kind, part: Part, ledger: Ledger, names: Names) -> None:
        origin = Origin(self._stage.cluster, part.batch)
        evaluation = evaluate_part(kind.prepare(part.rows), ledger.reports, names.directory, self._stage.namespaces)
        for key, record in kind.records(evaluation.rows, names, origin):
            await self._stage.writer.send(kind.result, key, record)
        cut = cut_of(part.batch, kind.losses)
        if cut is not None:
            await self._stage.writer.send(kind.result, *kind.cut(origin, cut))
        self._stage.counters.note_evaluation(kind.result.name, evaluation)
