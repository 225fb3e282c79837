"""Documents as the index holds them (ECS names) taken apart into what a history is made of."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from conntrail.observe.label import flat_labels
from conntrail.policy.history.seen import HitKey, RuleHits, Seen, SeenEnd, SeenKey, SeenPod, end_of, protocol_of
from conntrail.policy.history.tally import Examples

Body = Mapping[str, Any]


def cluster_of(body: Body) -> str:
    """Name of the cluster that it tells of."""
    return str(body["orchestrator"]["cluster"]["name"])


def time_ms(text: str) -> int:
    """Unix time in ms of an ISO time."""
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def seen_of(body: Body) -> Seen:
    """What one window adds to a record."""
    flow, event = body["flow"]["connections"], body["event"]
    return Seen(
        key_of(body),
        flow["started"],
        flow["active"],
        body["network"].get("bytes", 0),
        time_ms(event["start"]),
        time_ms(event["end"]),
    )


def key_of(body: Body) -> SeenKey:
    """The record that a window or a flow belongs to."""
    destination = body.get("destination", {})
    return SeenKey(
        _end(body, "source"),
        _end(body, "destination"),
        protocol_of(body["network"]["transport"]),
        destination.get("port", 0),
        body["event"]["action"],
    )


def examples_of(body: Body) -> Examples:
    """Who exactly the ends of a flow were."""
    key = key_of(body)
    domain = body["destination"].get("domain")
    return Examples(
        _pod_names(body, "source"),
        _pod_names(body, "destination"),
        frozenset({domain} if domain and key.destination.kind == "outside" else ()),
    )


def pods_of(body: Body) -> Iterable[SeenPod]:
    """The pods at a flow's ends as they were then."""
    for side in ("source", "destination"):
        pod = pod_of(body, side)
        if pod is not None:
            yield pod


def pod_of(body: Body, side: str) -> SeenPod | None:
    """The pod at one end; None for a node or an address outside the cluster."""
    end = body.get(side, {})
    kubernetes = end.get("kubernetes", {})
    if "pod" not in kubernetes:
        return None
    address = end.get("ip", "")
    return SeenPod(
        end=_end(body, side),
        name=kubernetes["pod"]["name"],
        labels=dict(flat_labels(kubernetes.get("labels", {}))),
        node_name=kubernetes.get("node", {}).get("name", ""),
        addresses=(address,) if address else (),
        last_seen_ms=time_ms(body["@timestamp"]),
    )


def hits_of(body: Body) -> RuleHits:
    """What one window adds to a rule's hits."""
    policy = body["policy"]
    return RuleHits(
        HitKey(
            policy["kind"],
            policy.get("namespace", ""),
            policy["name"],
            policy.get("tier", ""),
            policy["direction"],
            policy["rule"],
            policy["action"],
        ),
        policy["connections"],
        policy["flows"],
        policy["bytes"],
        policy["allowed"],
        policy["denied"],
        time_ms(policy["first_seen"]),
        time_ms(policy["last_seen"]),
    )


def _end(body: Body, side: str) -> SeenEnd:
    end = body.get(side, {})
    kubernetes = end.get("kubernetes", {})
    workload = kubernetes.get("workload", {})
    return end_of(
        kubernetes.get("namespace", ""), workload.get("kind", ""), workload.get("name", ""), end.get("ip", "")
    )


def _pod_names(body: Body, side: str) -> frozenset[str]:
    pod = pod_of(body, side)
    return frozenset() if pod is None else frozenset({pod.key})
