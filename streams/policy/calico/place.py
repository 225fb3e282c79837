"""Where policies stand in a cluster of Calico: in tiers, those of Kubernetes in the default one.

NetworkPolicy keeps its meaning there: whoever one of them selects is denied by the end of the tier, unless a policy of
Calico beside it says otherwise first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from streams.policy.calico.tier import DEFAULT_TIER, NETWORK_POLICY_ORDER
from streams.policy.policy import Policy
from streams.policy.tier import NETWORK_POLICIES, Tier


def place(policies: Iterable[Policy], tiers: Mapping[str, Tier | None]) -> list[Policy]:
    """Give every policy its tier and its order; one whose tier is not known cannot be judged."""
    known = {DEFAULT_TIER.name: DEFAULT_TIER, **tiers}
    return [_place(policy, known) for policy in policies]


def _place(policy: Policy, tiers: Mapping[str, Tier | None]) -> Policy:
    if policy.tier == NETWORK_POLICIES:
        tie = policy.tie or f"{policy.name}/{policy.namespace}/KubernetesNetworkPolicy"
        default = tiers[DEFAULT_TIER.name] or DEFAULT_TIER
        return replace(policy, tier=default, order=NETWORK_POLICY_ORDER, tie=tie)
    if "tier" not in policy.refers_to or policy.is_opaque:
        return policy
    tier = tiers.get(policy.tier.name)
    if tier is None:
        fault = f"spec.tier: no Tier {policy.tier.name} that makes sense is known"
        return replace(policy, is_opaque=True, faults=(*policy.faults, fault))
    return replace(policy, tier=tier)
