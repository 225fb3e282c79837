"""How far behind stages are: by when Kafka took what they tell of an interval as soon as it has come in."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.topic import DENIALS, NODES
from streams.alert.signal.signal import PipelineSignal

_PROMPT: Final = {NODES.name: "flows", DENIALS.name: "denials"}
"""Stages by the topics that they write to without waiting for anything."""
_OWN: Final = "alerts"
_NS: Final = 10**9


class Written(NamedTuple):
    """A record of one of the topics, Unix times in ns."""

    topic: str
    """Without its prefix."""
    end_ns: int
    """Of what it tells."""
    written_at_ns: int


def lags_of(written: Iterable[Written], now_ns: int) -> list[PipelineSignal]:
    """Of each stage that told something, by what it wrote last; of what an agent kept while it was away the lag is the
    agent's, so what is least behind counts. ``now_ns``: when these were read by the stage of alerts itself.
    """
    lags: dict[str, int] = {}
    at_ns = last_ns = 0
    for topic, end_ns, written_at_ns in written:
        at_ns, last_ns = max(at_ns, end_ns), max(last_ns, written_at_ns)
        if stage := _PROMPT.get(topic):
            lag_ns = max(0, written_at_ns - end_ns)
            lags[stage] = min(lag_ns, lags.get(stage, lag_ns))
    if last_ns:
        lags[_OWN] = max(0, now_ns - last_ns)
    return [
        PipelineSignal(None, at_ns, at_ns, stage, lag_seconds=lag_ns / _NS) for stage, lag_ns in sorted(lags.items())
    ]
