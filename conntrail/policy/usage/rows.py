"""Policies and the hits of their rules as `list` and `hits` show them."""

from collections.abc import Iterable
from typing import Any

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.period import instant_text
from conntrail.policy.history.seen import HitKey, RuleHits
from conntrail.policy.listing import describe_policy
from streams.policy.policy import Policy

PolicyName = tuple[str, str, str, str]


def policy_rows(snapshot: Snapshot, hits: tuple[RuleHits, ...] | None, namespace: str) -> list[dict[str, Any]]:
    """One a policy; without ``hits`` nobody was asked for them."""
    by_policy: dict[PolicyName, list[RuleHits]] = {}
    for hit in hits or ():
        by_policy.setdefault(name_of_hit(hit.key), []).append(hit)
    rows = []
    for policy in snapshot.policies.policies:
        if namespace and policy.namespace != namespace:
            continue
        row: dict[str, Any] = describe_policy(policy)
        faults = row.pop("faults")
        row["pods"] = selected_pods(policy, snapshot)
        if hits is not None:
            row["connections"] = _connections(by_policy.get(name_of(policy), ()))
        rows.append({**row, "faults": faults})
    return rows


def hit_rows(hits: Iterable[RuleHits], namespace: str) -> list[dict[str, Any]]:
    """One a rule and direction, the busiest first."""
    found = [hit for hit in hits if not namespace or hit.key.namespace == namespace]
    return [
        {
            "policy": _policy_text(hit.key),
            "tier": hit.key.tier,
            "direction": hit.key.direction,
            "rule": "default" if hit.key.rule < 0 else str(hit.key.rule),
            "action": hit.key.action,
            "connections": hit.connections,
            "allowed": hit.allowed,
            "denied": hit.denied,
            "flows": hit.flows,
            "bytes": hit.bytes,
            "first_seen": instant_text(hit.first_seen_ms),
            "last_seen": instant_text(hit.last_seen_ms),
        }
        for hit in sorted(found, key=lambda hit: (-hit.connections, -hit.flows, hit.key))
    ]


def selected_pods(policy: Policy, snapshot: Snapshot) -> int:
    """Present pods that it is, or may be, about; those on the node's network are out of its reach."""
    return sum(
        policy.subject.selects(pod.endpoint) is not False
        for pod in snapshot.pods.values()
        if not pod.endpoint.host_network
    )


def name_of(policy: Policy) -> PolicyName:
    """What tells a policy from others in the hits."""
    return policy.kind, policy.namespace, policy.name, policy.tier_name


def name_of_hit(key: HitKey) -> PolicyName:
    """The same of a hit."""
    return key.kind, key.namespace, key.name, key.tier


def _connections(hits: Iterable[RuleHits]) -> int:
    """A connection that several rules let through counts for each direction and rule."""
    return sum(hit.connections for hit in hits)


def _policy_text(key: HitKey) -> str:
    return f"{key.kind} {key.namespace}/{key.name}" if key.namespace else f"{key.kind} {key.name}"
