"""Records of windows, flows and denials as signals of their edge (schemas/avro/window.avsc, flow.avsc, denial.avsc)."""

from collections.abc import Mapping
from typing import Any, Final

from streams.alert.signal.end import SERVICE, destination_end, node_of, service_of, source_end
from streams.alert.signal.signal import EdgeSignal, Emission, Place, SpanSignal

Record = Mapping[str, Any]
_REPEATED: Final = 2
_NO_ENDPOINT: Final = "no endpoint"
"""Part of the reason that streams/policy/outcome.py gives."""


def window_signals(record: Record, place: Place | None) -> list[EdgeSignal | SpanSignal]:
    """Of a Window, or a Flow: they have the same shape."""
    found: list[EdgeSignal | SpanSignal] = []
    if record["replaces"]:
        found.append(SpanSignal(place, record["partition"], record["timestamp_ns"], record["revision"]))
    if record["id"]:
        found.append(_edge(record, place))
    return found


def denial_signals(record: Record, place: Place | None) -> list[EdgeSignal]:
    """Of a Denial: attempts judged, told before their window is complete. What a node cut is nobody's attempt."""
    event, network, policy = record["event"], record["network"], record["policy"]
    action, destination = event["action"], record["destination"]
    if action not in ("denied", "failed"):
        return []
    end = destination_end(destination)
    service, service_port = service_of(destination)
    return [
        EdgeSignal(
            place=place,
            identity=record["id"],
            start_ns=event["start_ns"],
            end_ns=max(event["start_ns"], event["end_ns"]),
            source=source_end(record["source"]),
            destination=end,
            port=service_port if end.kind == SERVICE else destination["port"],
            transport=network["transport"],
            action=action,
            mode=_mode(action, event["reason"] or ""),
            reason=event["reason"] or "",
            is_prompt=True,
            service=service,
            service_port=service_port,
            direction=network["direction"],
            domain=destination["domain"] or "",
            denied=max(1, record["count"]) if action == "denied" else 0,
            failed=max(1, record["count"]) if action == "failed" else 0,
            begun=record["begun"],
            is_drift=policy["drift"],
            verdict=policy["verdict"],
            policies=(*policy["egress"]["policies"], *policy["ingress"]["policies"]),
            denied_by=tuple(policy["denied_by"]),
            nearest_miss=record["nearest_miss"] or "",
            coverage=record["observer"]["coverage"],
            nodes=_nodes(record["source"], destination),
        )
    ]


def _edge(record: Record, place: Place | None) -> EdgeSignal:
    """What nobody answered is allowed as long as nothing contradicts it, and is no success all the same. Handshakes
    that were sent again and not answered are failures: conntrack gives them up only after two minutes.
    """
    event, flow, network, policy = record["event"], record["flow"], record["network"], record["policy"]
    connections, destination = flow["connections"], record["destination"]
    end = destination_end(destination)
    service, service_port = service_of(destination)
    action = event["action"]
    is_answered = action == "allowed" and destination["bytes"] > 0
    is_silent = action == "allowed" and not is_answered and _is_repeated(record)
    denials, failures = ((connections[name], connections["active"]) for name in ("denied", "failed"))
    return EdgeSignal(
        place=place,
        start_ns=event["start_ns"],
        end_ns=event["end_ns"],
        source=source_end(record["source"]),
        destination=end,
        port=service_port if end.kind == SERVICE else destination["port"],
        transport=network["transport"],
        action="failed" if is_silent else action,
        mode="timeout" if is_silent else _mode(action, event["reason"] or ""),
        reason="no answer yet" if is_silent else event["reason"] or "",
        emission=Emission(record["id"], record["revision"], record["partition"], record["timestamp_ns"]),
        service=service,
        service_port=service_port,
        protocol=network["protocol"] or "",
        direction=network["direction"],
        domain=destination["domain"] or "",
        started=connections["started"] if is_answered else 0,
        active=connections["active"] if is_answered else 0,
        denied=_attempts(*denials, action, "denied"),
        failed=connections["started"] if is_silent else _attempts(*failures, action, "failed"),
        bytes=network["bytes"],
        packets=network["packets"],
        is_drift=policy["drift"],
        verdict=policy["verdict"],
        policies=(*policy["egress"]["policies"], *policy["ingress"]["policies"]),
        denied_by=tuple(policy["denied_by"]),
        coverage=flow["coverage"] or "complete",
        nodes=_nodes(record["source"], destination),
        **_tcp(record["tcp"]),
    )


def _attempts(counted: int, active: int, action: str, wanted: str) -> int:
    """What is counted at an attempt's begin or end is 0 in spans in between, in which it goes on all the same."""
    return (counted or min(active, 1)) if action == wanted else 0


def _is_repeated(record: Record) -> bool:
    """Whether each connection of TCP that began has sent two packets at least, all in vain."""
    started = record["flow"]["connections"]["started"]
    packets = record["source"]["packets"]
    return bool(record["network"]["transport"] == "tcp" and started and packets >= _REPEATED * started)


def _mode(action: str, reason: str) -> str:
    if action == "allowed":
        return ""
    if action == "denied":
        return "denied"
    if _NO_ENDPOINT in reason:
        return "no_endpoints"
    return "refused" if reason.startswith("refused") else "timeout"


def _tcp(tcp: Mapping[str, Any] | None) -> dict[str, Any]:
    if tcp is None:
        return {}
    rtt = tcp["rtt_us"]
    return {"retransmits": tcp["retransmits"] or 0, "rtt_us": rtt["p50"] if isinstance(rtt, Mapping) else rtt}


def _nodes(source: Record, destination: Record) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node for node in (node_of(source), node_of(destination)) if node))
