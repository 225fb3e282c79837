"""Hands what was read to the engine, in the order of its time, and gathers what comes of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
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

    def __init__(self, engine: Engine, cluster: str, store: Store, since_ns: int = 0) -> None:
        """``store``: that of the engine. ``since_ns``: since when alerts are made again. That nothing was told before
        is no silence: those who tell may have been away as well.
        """
        self._engine = engine
        self._engine.resume(since_ns)
        self._roll = NodeRoll(store, since_ns)
        self._cluster = cluster
        self._advanced_ns = 0

    def take(self, messages: Iterable[Message], now_ns: int) -> Outcome:
        """Messages in the order in which Kafka took them: by that time passes. What it took at about the same time is
        taken in the order of event time. ``now_ns``: of the dead letters, and how late it is at the latest.
        """
        outcome = Outcome()
        written: list[Written] = []
        latest_ns = 0
        for step in _steps(messages):
            taken_ns = [min(message.written_at_ns, now_ns) for message in step]
            outcome.alerts += self._pass_to(taken_ns[0])
            latest_ns = max(taken_ns) or now_ns
            signals = [told for message in step for told in self._read(message, now_ns, outcome, written)]
            self._feed(signals, latest_ns, outcome)
        self._feed(lags_of(written, now_ns), latest_ns, outcome)
        return outcome

    def forget_places(self, places: Collection[tuple[str, int]]) -> None:
        """The offsets of these, topic and partition, have begun again."""
        if places:
            self._engine.forget_places(places)

    def advance(self, now_ns: int) -> list[dict[str, Any]]:
        """Let time pass up to an instant."""
        self._advanced_ns = max(self._advanced_ns, now_ns)
        alerts = [alert for missed in self._roll.call(now_ns) for alert in self._engine.take(missed)]
        return alerts + self._engine.advance(now_ns)

    def _read(self, message: Message, now_ns: int, outcome: Outcome, written: list[Written]) -> list[Signal]:
        if message.fault:
            self._refuse(message, now_ns, outcome)
        elif message.record is None:
            pass  # a tombstone: what ended says so before it is deleted
        elif message.topic == SILENCES.name:
            outcome.alerts += self._engine.silence(message.record)
        else:
            told = _signals(message, message.record)
            if message.written_at_ns:
                written += (Written(message.topic, _time(one), message.written_at_ns) for one in told)
            return told
        return []

    def _feed(self, signals: Iterable[Signal], latest_ns: int, outcome: Outcome) -> None:
        """``latest_ns``: it is no later, whatever a record says."""
        for signal in sorted(signals, key=_time):
            outcome.alerts += self._pass_to(min(_time(signal), latest_ns))
            self._call(signal, latest_ns)
            outcome.alerts += self._engine.take(signal, latest_ns)

    def _pass_to(self, at_ns: int) -> list[dict[str, Any]]:
        return self.advance(at_ns) if at_ns - self._advanced_ns >= _ADVANCE_NS else []

    def _call(self, signal: Signal, now_ns: int) -> None:
        if isinstance(signal, NodeSignal):
            self._roll.hear(signal, now_ns)
        elif isinstance(signal, ChangeSignal) and (signal.kind, signal.action) == ("Node", "created"):
            self._roll.join(signal.name, signal.at_ns)
        elif isinstance(signal, ChangeSignal) and (signal.kind, signal.action) == ("Node", "deleted"):
            self._roll.leave(signal.name, signal.at_ns)

    def _refuse(self, message: Message, now_ns: int, outcome: Outcome) -> None:
        """A dead letter that cannot be read makes no further one."""
        if message.topic != DEAD_LETTER.name:
            refused = Refused(_STAGE, message.fault, *message[:5])
            outcome.dead_letters.append((message.topic, dead_letter(self._cluster, refused, now_ns)))


def _steps(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Those that Kafka took within a step of time."""
    step: list[Message] = []
    for message in messages:
        if step and message.written_at_ns - step[0].written_at_ns >= _ADVANCE_NS:
            yield step
            step = []
        step.append(message)
    if step:
        yield step


def _signals(message: Message, record: Mapping[str, Any]) -> list[Signal]:
    place = Place(message.topic, message.partition, message.offset)
    if message.topic == DEAD_LETTER.name:
        at_ns = record["observed_at_ns"]
        return [PipelineSignal(place, at_ns, at_ns, record["stage"], dead_letters=1)]
    return signals_of(message.topic, record, place)


def _time(signal: Signal) -> int:
    return signal.at_ns if isinstance(signal, ChangeSignal | EventSignal | CaptureSignal) else signal.end_ns
