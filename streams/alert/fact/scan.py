"""Whether a workload looks around: the observation that follows each new or failing edge of it."""

from streams.alert.fact.client_book import scan_measures, source_measures
from streams.alert.fact.edge_facts import EdgeFacts
from streams.alert.fact.subject import Context, Observation
from streams.alert.rule.condition import Value


def scan_of(facts: EdgeFacts) -> Observation | None:
    """None when the source has dialled nothing new lately, or the edge is one that is known to work."""
    signal, client, state = facts.signal, facts.client, facts.state
    is_known = state.worked and state.worked_since_ns < signal.start_ns
    if is_known or not facts.has_targets:
        return None
    source = client.end

    def measures(window_ns: int) -> dict[str, Value]:
        return {
            **source_measures(source, client.first_seen_ns, signal.end_ns),
            **scan_measures(client, signal.end_ns - window_ns),
            "target": state.destination.title,
            "works": signal.started > 0,
        }

    return Observation(
        signal="scan",
        name=source.key,
        title=source.title,
        fields={"source.workload": source.title},
        namespace=source.namespace,
        workloads=(source.workload,) if source.workload else (),
        start_ns=signal.start_ns,
        end_ns=signal.end_ns,
        facts=measures,
        context=Context(source=source, policies=list(state.denied_by), nodes=list(state.nodes)),
    )
