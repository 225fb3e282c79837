"""What is told of an edge that something was heard of: its subject, and what an alert says beside its measures."""

from dataclasses import dataclass
from typing import Final

from streams.alert.fact.edge_facts import EdgeFacts
from streams.alert.fact.subject import Context, Observation
from streams.alert.signal.end import OUTSIDE
from streams.alert.signal.signal import EdgeSignal
from streams.alert.state.edge import EdgeState

MAXIMUM_POLICIES: Final = 16


@dataclass(frozen=True, slots=True)
class Heard:
    """An edge that something was heard of. Most say nothing to any rule, so the observation is made when asked for."""

    name: str
    facts: EdgeFacts
    count: int
    is_kept: bool = True
    """False where there is no room for it: it says nothing of itself, only of what its source does."""

    def observation(self) -> Observation:
        """What rules and alerts are told."""
        return _observation(self.name, self.facts.state, self.facts.signal, self.facts, self.count)


def _observation(key: str, state: EdgeState, signal: EdgeSignal, facts: EdgeFacts, count: int) -> Observation:
    source, destination = state.source, state.destination
    end = "destination.address" if destination.kind == OUTSIDE else "destination.workload"
    fields = {
        "source.workload": source.title,
        end: destination.title,
        "port": str(state.port),
        "protocol": state.transport,
        **({"service": state.service} if state.service else {}),
        **({"domain": state.domain} if state.domain else {}),
    }
    return Observation(
        signal="edge",
        name=key,
        title=f"{source.title} → {destination.title}:{state.port}/{state.transport}",
        fields=fields,
        namespace=destination.namespace or source.namespace,
        workloads=tuple(dict.fromkeys(end.workload for end in (source, destination) if end.workload)),
        start_ns=signal.start_ns,
        end_ns=signal.end_ns,
        facts=facts.measures,
        count=count,
        view="prompt" if signal.is_prompt else "windows",
        context=_context(state, signal),
    )


def _context(state: EdgeState, signal: EdgeSignal) -> Context:
    policies = state.denied_by if state.is_failing or signal.denied_by else list(signal.policies[:MAXIMUM_POLICIES])
    return Context(
        since_ns=state.failing_since_ns if state.is_failing else 0,
        mode=state.mode if state.is_failing else "drift" if signal.is_drift else signal.mode,
        source=state.source,
        destination=state.destination,
        port=state.port,
        transport=state.transport,
        service=state.service,
        domain=state.domain,
        nodes=list(state.nodes),
        policies=policies,
        nearest_miss=state.nearest_miss if state.is_failing or signal.denied_by else "",
        worked_since_ns=state.worked_since_ns or None,
        worked_until_ns=state.worked_until_ns or None,
        evidence=[signal.reason] if signal.reason else [],
    )
