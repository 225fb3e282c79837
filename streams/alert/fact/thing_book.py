"""Nodes, stages, captures and objects of the cluster: whatever rules are about that is no traffic."""

from typing import Final

from streams.alert.counters import AlertCounters
from streams.alert.fact.subject import Context, Observation
from streams.alert.rule.condition import Value
from streams.alert.signal.signal import (
    CaptureSignal,
    ChangeSignal,
    EventSignal,
    NodeSignal,
    PipelineSignal,
    Place,
)
from streams.alert.state.client import ThingState
from streams.alert.state.seen import is_replayed, note_place
from streams.alert.state.shelf import Shelf
from streams.alert.state.tally import KEPT_NS

Thing = NodeSignal | PipelineSignal | CaptureSignal | EventSignal | ChangeSignal
_MAXIMUM_BUCKETS: Final = 64


class ThingBook:
    """Things by kind and name."""

    def __init__(self, shelf: Shelf[ThingState], counters: AlertCounters) -> None:
        self._shelf = shelf
        self._counters = counters

    def observe(self, signal: Thing) -> Observation | None:
        """None for what was seen already."""
        if isinstance(signal, NodeSignal):
            return self._node(signal)
        if isinstance(signal, PipelineSignal):
            return self._pipeline(signal)
        if isinstance(signal, CaptureSignal):
            return self._capture(signal)
        return self._event(signal) if isinstance(signal, EventSignal) else self._change(signal)

    def _node(self, signal: NodeSignal) -> Observation | None:
        state = self._heard(f"node/{signal.node}", signal.place, signal.end_ns, signal.lost)
        if state is None:
            return None

        def measures(window_ns: int) -> dict[str, Value]:
            lost = _sum(state, signal.end_ns - window_ns)
            return {"node": signal.node, "coverage": signal.coverage, "lost": float(lost)}

        return Observation(
            "node", signal.node, signal.node, {"node": signal.node}, "", (), signal.start_ns, signal.end_ns, measures,
            max(1, signal.lost),
            context=Context(nodes=[signal.node], mode="blind" if signal.coverage == "blind" else ""),
        )  # fmt: skip

    def _pipeline(self, signal: PipelineSignal) -> Observation | None:
        state = self._heard(f"stage/{signal.stage}", signal.place, signal.end_ns, signal.dead_letters)
        if state is None:
            return None

        def measures(window_ns: int) -> dict[str, Value]:
            lag = {} if signal.lag_seconds is None else {"lag_seconds": round(signal.lag_seconds, 1)}
            return {"stage": signal.stage, "dead_letters": float(_sum(state, signal.end_ns - window_ns)), **lag}

        return Observation(
            "pipeline", signal.stage, signal.stage, {"stage": signal.stage}, "", (), signal.start_ns, signal.end_ns,
            measures, signal.dead_letters,
        )  # fmt: skip

    def _capture(self, signal: CaptureSignal) -> Observation | None:
        name = f"{signal.id}/{signal.node}"
        if self._heard(f"capture/{name}", signal.place, signal.at_ns, signal.dropped) is None:
            return None
        facts: dict[str, Value] = {
            "capture": signal.id,
            "node": signal.node,
            "state": signal.state,
            "packets": float(signal.packets),
            "dropped": float(signal.dropped),
            "dropped_ratio": signal.dropped / max(1, signal.packets + signal.dropped),
            "why": signal.reason,
        }
        return Observation(
            "capture", name, name, {"capture": signal.id, "node": signal.node}, "", signal.workloads, signal.at_ns,
            signal.at_ns, lambda _: facts, context=Context(nodes=[signal.node] if signal.node else []),
        )  # fmt: skip

    def _event(self, signal: EventSignal) -> Observation | None:
        name = f"{signal.kind}/{signal.namespace}/{signal.name}"
        state = self._heard(f"event/{name}/{signal.reason}", signal.place, signal.at_ns, 1)
        if state is None:
            return None

        def measures(window_ns: int) -> dict[str, Value]:
            return {
                "namespace": signal.namespace, "kind": signal.kind, "name": signal.name, "object": name,
                "type": signal.type, "why": signal.reason, "words": signal.message,
                "count": float(max(_sum(state, signal.at_ns - window_ns), signal.count)),
            }  # fmt: skip

        return Observation(
            "event", f"{name}/{signal.reason}", name, {"object": name, "reason": signal.reason}, signal.namespace,
            signal.workloads, signal.at_ns, signal.at_ns, measures,
            context=Context(nodes=[signal.node] if signal.node else [], evidence=[signal.message[:500]]),
        )  # fmt: skip

    def _change(self, signal: ChangeSignal) -> Observation | None:
        name = f"{signal.kind}/{signal.namespace}/{signal.name}"
        if self._heard(f"change/{name}", signal.place, signal.at_ns, 1) is None:
            return None
        facts: dict[str, Value] = {
            "namespace": signal.namespace, "kind": signal.kind, "name": signal.name, "object": name,
            "action": signal.action, "by": signal.by, "words": signal.summary,
        }  # fmt: skip
        return Observation(
            "change", name, name, {"object": name}, signal.namespace, signal.workloads, signal.at_ns, signal.at_ns,
            lambda _: facts, context=Context(evidence=[signal.summary], cause_ids=[signal.id]),
        )  # fmt: skip

    def _heard(self, name: str, place: Place | None, at_ns: int, count: int) -> ThingState | None:
        key = self._shelf.key(name)
        state = self._shelf.get(key) or ThingState(at_ns)
        if is_replayed(state.seen, place):
            self._counters.replayed += 1
            return None
        note_place(state.seen, place)
        state.heard_ns = max(state.heard_ns, at_ns)
        if count:
            state.buckets.append((at_ns, count))
            recent = [bucket for bucket in state.buckets if bucket[0] > state.heard_ns - KEPT_NS]
            while len(recent) > _MAXIMUM_BUCKETS:  # neighbours are added together: the sum of a window stays
                (_, first), (second_ns, second) = recent[:2]
                recent[:2] = [(second_ns, first + second)]
            state.buckets = recent
        self._counters.evicted_things += len(self._shelf.put(key, state))
        return state


def _sum(state: ThingState, after_ns: int) -> int:
    return sum(count for at_ns, count in state.buckets if at_ns > after_ns)
