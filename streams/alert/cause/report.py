"""The effect of a policy's change as an observation that rules of signal ``effect`` are asked about."""

from streams.alert.cause.effect import EffectState
from streams.alert.cause.happening import Happening
from streams.alert.fact.subject import Context, Observation
from streams.alert.rule.condition import Value


def effect_observation(state: EffectState, happening: Happening, within_seconds: float) -> Observation:
    """Of one change, with the edges that turned so soon after it."""
    stopped = len(state.stopped) + state.stopped_others
    started = len(state.started) + state.started_others
    kind = happening.object.partition("/")[0]
    facts: dict[str, Value] = {
        "namespace": happening.namespace,
        "kind": kind,
        "name": happening.name,
        "object": happening.object,
        "action": happening.action,
        "by": happening.by or "nobody known",
        "stopped": float(stopped),
        "started": float(started),
        "within_seconds": float(within_seconds),
    }
    members = [f"stopped: {title}" for title in state.stopped.values()]
    members += [f"started: {title}" for title in state.started.values()]
    return Observation(
        signal="effect",
        name=state.id,
        title=happening.object,
        fields={"policy": happening.object, "action": happening.action},
        namespace=happening.namespace,
        workloads=tuple(happening.workloads),
        start_ns=state.at_ns,
        end_ns=state.at_ns,
        facts=lambda _: facts,
        count=stopped + started,
        context=Context(
            evidence=[happening.summary], members=members, member_count=stopped + started, cause_ids=[state.id]
        ),
    )
