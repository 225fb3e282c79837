"""Hands what was read to the engine, in the order of its time, and gathers what comes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.topic import (
    CAPTURE_STATUS,
    CHANGES,
    DEAD_LETTER,
    DENIALS,
    DNS,
    KUBERNETES_EVENTS,
    L7,
    NODES,
    SILENCES,
    WINDOWS,
    Topic,
)
from streams.alert.engine import Engine
from streams.alert.roll import NodeRoll
from streams.alert.signal.lag import Written, lags_of
from streams.alert.signal.message import Message
from streams.alert.signal.record import signals_of
from streams.alert.signal.signal import (
    CaptureSignal,
    ChangeSignal,
    EventSignal,
    NodeSignal,
    PipelineSignal,
    Place,
    Signal,
)
from streams.alert.state.shelf import Store
from streams.result.deadletter import Refused, dead_letter

TOPICS: Final[tuple[Topic, ...]] = (
    WINDOWS, DENIALS, DNS, L7, CHANGES, KUBERNETES_EVENTS, CAPTURE_STATUS, NODES, DEAD_LETTER, SILENCES,
)  # fmt: skip
"""What alerts are made of."""
_STAGE: Final = "alerts"
_ADVANCE_NS: Final = 500_000_000
"""Of the past, time passes in such steps."""


@dataclass(slots=True)
class Outcome:
    """What came of some messages."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """With the topic that they are of."""


class Desk:
    """Not thread-safe."""

    def __init__(self, engine: Engine, cluster: str, store: Store) -> None:
        """``store``: that of the engine."""
        self._engine = engine
        self._roll = NodeRoll(store)
        self._cluster = cluster
        self._advanced_ns = 0
        self.latest_ns = 0
        """Event time of the latest record so far."""

    def take(self, messages: Iterable[Message], now_ns: int) -> Outcome:
        """``now_ns``: of the dead letters, and how late it is at the latest, whatever a record says."""
        outcome = Outcome()
        signals: list[Signal] = []
        written: list[Written] = []
        for message in messages:
            if message.fault:
                self._refuse(message, now_ns, outcome)
            elif message.record is None:
                continue  # a tombstone: what ended says so before it is deleted
            elif message.topic == SILENCES.name:
                outcome.alerts += self._engine.silence(message.record)
            else:
                told = _signals(message, message.record)
                signals += told
                if message.written_at_ns:
                    written += (Written(message.topic, _time(one), message.written_at_ns) for one in told)
        signals += lags_of(written, now_ns)
        for signal in sorted(signals, key=_time):
            at_ns = min(_time(signal), now_ns)
            if at_ns - self._advanced_ns >= _ADVANCE_NS:
                outcome.alerts += self.advance(at_ns)
            self._call(signal)
            outcome.alerts += self._engine.take(signal, now_ns)
            self.latest_ns = max(self.latest_ns, at_ns)
        return outcome

    def advance(self, now_ns: int) -> list[dict[str, Any]]:
        """Let time pass up to an instant."""
        self._advanced_ns = max(self._advanced_ns, now_ns)
        alerts = [alert for missed in self._roll.call(now_ns) for alert in self._engine.take(missed)]
        return alerts + self._engine.advance(now_ns)

    def _call(self, signal: Signal) -> None:
        if isinstance(signal, NodeSignal):
            self._roll.hear(signal)
        elif isinstance(signal, ChangeSignal) and (signal.kind, signal.action) == ("Node", "deleted"):
            self._roll.leave(signal.name)

    def _refuse(self, message: Message, now_ns: int, outcome: Outcome) -> None:
        """A dead letter that cannot be read makes no further one."""
        if message.topic != DEAD_LETTER.name:
            refused = Refused(_STAGE, message.fault, *message[:5])
            outcome.dead_letters.append((message.topic, dead_letter(self._cluster, refused, now_ns)))


def _signals(message: Message, record: Mapping[str, Any]) -> list[Signal]:
    place = Place(message.topic, message.partition, message.offset)
    if message.topic == DEAD_LETTER.name:
        at_ns = record["observed_at_ns"]
        return [PipelineSignal(place, at_ns, at_ns, record["stage"], dead_letters=1)]
    return signals_of(message.topic, record, place)


def _time(signal: Signal) -> int:
    return signal.at_ns if isinstance(signal, ChangeSignal | EventSignal | CaptureSignal) else signal.end_ns
