"""A policy as `conntrail policy list` shows it."""

from streams.policy.policy import Policy


def describe_policy(policy: Policy) -> dict[str, object]:
    """One row; ``faults`` names what cannot be evaluated."""
    directions = {"ingress": policy.ingress, "egress": policy.egress}
    return {
        "kind": policy.kind,
        "namespace": policy.namespace,
        "name": policy.name,
        "tier": policy.tier_name,
        "directions": " ".join(name for name, rules in directions.items() if rules is not None),
        "rules": sum(len(rules or ()) for rules in directions.values()),
        "staged": policy.is_staged,
        "faults": list(policy.faults),
    }
