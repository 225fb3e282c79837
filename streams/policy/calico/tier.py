"""The tiers of Calico, and the places in them of policies of Kubernetes.

Source: docs.tigera.io, "Tier"; projectcalico/calico, conversion of NetworkPolicy: tier default, order 1000.
"""

import math
from typing import Final, Literal

from streams.policy.fault import PolicyFault
from streams.policy.field import as_mapping, as_number, refuse_unknown, show
from streams.policy.object import PolicyObject
from streams.policy.referent import TierReferent
from streams.policy.tier import NETWORK_POLICIES, Tier

DEFAULT_TIER: Final = Tier(name="default", order=NETWORK_POLICIES.order, combine="first", default="deny")
NETWORK_POLICY_ORDER: Final = 1000.0


def unplaced(name: str) -> Tier:
    """A tier of which only the name is known."""
    return Tier(name=name, order=math.inf, combine="first", default="deny")


def compile_tier(source: PolicyObject) -> TierReferent:
    """Compile a Tier; one that makes no sense leaves its policies without a place."""
    try:
        return TierReferent(_parse_tier(source), source.name)
    except PolicyFault:
        return TierReferent(None, source.name)


def _parse_tier(source: PolicyObject) -> Tier:
    spec = as_mapping(source.spec, "spec")
    refuse_unknown(spec, frozenset({"order", "defaultAction"}), "spec")
    order = math.inf if spec.get("order") is None else as_number(spec["order"], "spec.order")
    actions: dict[object, Literal["deny", "pass"]] = {None: "deny", "Deny": "deny", "Pass": "pass"}
    raw = spec.get("defaultAction")
    if not isinstance(raw, str | None) or raw not in actions:
        raise PolicyFault(f"spec.defaultAction: expected Deny or Pass, got {show(raw)}")
    return Tier(name=source.name, order=order, combine="first", default=actions[raw])
