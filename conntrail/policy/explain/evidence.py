"""What was seen between two ends: which flows to ask for, and what the last of them say in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conntrail.observe.condition import AnyCondition, Condition, Named, values_at
from conntrail.policy.explain.target import Target

Document = Mapping[str, Any]
ACTIONS = ("allowed", "denied", "failed")
_TRANSPORTS = {"ICMPv6": "ipv6-icmp"}


@dataclass(frozen=True, slots=True)
class Sighting:
    """The last flow of one outcome."""

    action: str
    at: str
    words: str


def conditions_of(
    source: Target, destination: Target, protocol: str, ports: Iterable[int], cluster: str
) -> list[AnyCondition]:
    """What a flow between these ends is known by; documents of protocols without ports have none."""
    numbers = tuple(str(port) for port in sorted(set(ports)) if port)
    return [
        Condition(("orchestrator.cluster.name",), (cluster,)),
        Condition(("network.transport",), (_TRANSPORTS.get(protocol, protocol.lower()),)),
        *([Condition(("destination.port",), numbers)] if numbers else []),
        _end("source", source),
        _end("destination", destination),
    ]


def with_action(conditions: list[AnyCondition], action: str) -> list[AnyCondition]:
    """Only flows of one outcome."""
    return [*conditions, Condition(("event.action",), (action,))]


def reported_by(node: str, cluster: str) -> list[AnyCondition]:
    """Flows that a node's agent reported."""
    return [Condition(("orchestrator.cluster.name",), (cluster,)), Condition(("observer.nodes",), (node,))]


def sightings(latest: Mapping[str, Document]) -> list[Sighting]:
    """The newest first."""
    found = [Sighting(action, _text(flow, "@timestamp"), _words(flow)) for action, flow in latest.items()]
    return sorted(found, key=lambda sighting: sighting.at, reverse=True)


def coverage_words(node: str, flow: Document | None) -> str:
    """What a node's agent told last."""
    if flow is None:
        return f"no agent on {node} reported a flow in the period"
    return f"the agent on {node} last reported at {_text(flow, '@timestamp')}, coverage {_text(flow, 'flow.coverage')}"


def domains_of(latest: Mapping[str, Document]) -> tuple[str, ...]:
    """Names by which the destination was found."""
    return tuple(sorted({str(name) for flow in latest.values() for name in values_at(flow, "destination.domain")}))


def _end(side: str, target: Target) -> AnyCondition:
    """By pod, workload, node's name or address; a Service by the workloads behind it, else by its own name."""
    if target.kind == "address":
        return Condition((f"{side}.ip",), (target.name,), "network")
    if target.kind == "node":
        return Condition((f"{side}.kubernetes.workload.name",), (target.name.removeprefix("node/"),))
    if target.kind == "pod":
        return Named(((f"{side}.kubernetes.namespace", f"{side}.kubernetes.pod.name"),), (target.name,))
    names = {f"{pod.workload[0]}/{pod.workload[2]}" for pod in target.pods}
    if not names:
        return Named((("destination.service.namespace", "destination.service.name"),), (target.name,))
    return Named(((f"{side}.kubernetes.namespace", f"{side}.kubernetes.workload.name"),), tuple(sorted(names)))


def _words(flow: Document) -> str:
    evidence = ", ".join(str(item) for item in values_at(flow, "flow.evidence"))
    parts = [
        f"reported by {', '.join(str(node) for node in values_at(flow, 'observer.nodes'))}",
        f"evidence {evidence}" if evidence else "",
        _text(flow, "event.reason"),
        "DRIFT: it contradicts the policies" if any(values_at(flow, "policy.drift")) else "",
    ]
    return "; ".join(part for part in parts if part)


def _text(flow: Document, path: str) -> str:
    return next((str(value) for value in values_at(flow, path)), "")
