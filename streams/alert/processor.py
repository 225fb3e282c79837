"""Makes the alerts of the cluster, on whichever worker holds the lease, and writes them with all that they came of."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Final

import mode
import structlog

from streams.alert.desk import Desk, Outcome
from streams.alert.engine import Engine
from streams.alert.lease.reader import Lease
from streams.alert.log.position import POSITIONS, pack_positions, unpack_positions
from streams.alert.log.reader import StateReader
from streams.alert.log.store import ChangedStore
from streams.alert.metrics import AlertMetrics
from streams.alert.rule.rule import Rule
from streams.alert.settings import AlertSettings
from streams.alert.signal.reader import Beginning, SignalReader
from streams.alert.writer import AlertWriter, FencedError, Step
from streams.errors import ReadError, WriteError
from streams.source.share import RefusalShare

_READ_SECONDS: Final = 0.2
_WRITE_SECONDS: Final = 1.0
"""What has changed and is no alert waits so long."""
_LEASE_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 5.0
_NS: Final = 10**9
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AlertStage:
    """What the stage is made of."""

    cluster: str
    rules: Sequence[Rule]
    settings: AlertSettings
    lease: Lease
    state: StateReader
    signals: SignalReader
    writer: AlertWriter
    metrics: AlertMetrics
    share: RefusalShare


class AlertService(mode.Service):
    """Runs the stage in a thread of its own, since all its clients block."""

    def __init__(self, stage: AlertStage) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        self.is_assigned = False
        """Kafka has said which worker makes the alerts."""
        self._stage = stage
        self._is_stopping = Event()

    async def on_start(self) -> None:
        """Begin."""
        self.add_future(self._run())

    async def on_stop(self) -> None:
        """End after what is under way."""
        self._is_stopping.set()

    async def _run(self) -> None:
        try:
            await asyncio.to_thread(self._work)
        except Exception as error:
            self.failure = error
            raise

    def _work(self) -> None:
        try:
            while not self._is_stopping.is_set():
                try:
                    self._watch()
                except (ReadError, WriteError) as error:
                    # What was not committed is nothing, so it is begun anew from what was.
                    _log.warning("alerts wait", reason=str(error), seconds=_RETRY_SECONDS)
                    self._is_stopping.wait(_RETRY_SECONDS)
        finally:
            self._stage.lease.close()

    def _watch(self) -> None:
        is_held = self._stage.lease.is_held(_LEASE_SECONDS)
        self.is_assigned = self._stage.lease.is_assigned
        if is_held:
            self._serve()

    def _serve(self) -> None:
        """Make alerts as long as the lease is held."""
        _log.info("making the alerts")
        self._stage.metrics.is_active.set(1)
        try:
            self._go_on()
        except FencedError:
            _log.info("another worker makes the alerts")
        finally:
            self._stage.metrics.is_active.set(0)
            self._stage.signals.close()
            self._stage.writer.close()

    def _go_on(self) -> None:
        stage = self._stage
        stage.writer.start()  # first, so that the state that is read is the last that anybody wrote
        entries = stage.state.read()
        positions = unpack_positions(entries.pop(POSITIONS, b"{}"))
        store = ChangedStore(entries)
        engine = Engine(stage.rules, stage.settings, store)
        stage.metrics.watch(engine.counters)
        now_ns = time.time_ns()
        stage.signals.start(positions, Beginning(now_ns - round(stage.settings.learning_seconds * _NS)))
        desk, written_at = Desk(engine, stage.cluster, store, now_ns), time.monotonic()
        desk.forget_places(stage.signals.take_anew())
        while stage.lease.is_held() and not self._is_stopping.is_set():
            outcome = self._step(desk)
            if outcome.alerts or outcome.dead_letters or time.monotonic() - written_at >= _WRITE_SECONDS:
                self._write(outcome, store)
                written_at = time.monotonic()
        if stage.lease.is_held():
            self._write(Outcome(), store)

    def _step(self, desk: Desk) -> Outcome:
        """Until everything has been read it is as late as the records say: nothing is over because it was long ago."""
        stage = self._stage
        messages = stage.signals.read(_READ_SECONDS)
        for topic, lost in stage.signals.take_lost().items():
            stage.metrics.lost.labels(topic).inc(lost)
        now_ns = time.time_ns()
        outcome = desk.take(messages, now_ns)
        for message in messages:
            stage.metrics.records.labels(message.topic).inc()
            if message.fault:
                stage.metrics.refused.inc()
                stage.share.refuse(message.fault)
            else:
                stage.share.accept()
        stage.share.check()
        until_ns = now_ns if stage.signals.until_ns is None else min(now_ns, stage.signals.until_ns)
        stage.metrics.behind.set((now_ns - until_ns) / _NS if until_ns else 0)
        outcome.alerts += desk.advance(until_ns)
        return outcome

    def _write(self, outcome: Outcome, store: ChangedStore) -> None:
        positions = pack_positions(self._stage.signals.positions)
        changes = {**store.take_changes(), POSITIONS: positions}
        self._stage.metrics.entries.set(len(store))
        self._stage.writer.commit(Step(outcome.alerts, changes, outcome.dead_letters))
