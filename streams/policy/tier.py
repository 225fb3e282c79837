"""Tiers: groups of policies that are asked together, one group after the other."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Tier:
    """A group of policies asked together."""

    name: str
    order: float
    """Tiers ascend."""
    combine: Literal["union", "first"]
    default: Literal["deny", "pass", "none"]
    """For an end that a policy of the tier selects while no rule matches; ``none`` where selecting means nothing."""


ADMIN = Tier(name="admin", order=1_000.0, combine="first", default="none")
NETWORK_POLICIES = Tier(name="", order=1_000_000.0, combine="union", default="deny")
BASELINE = Tier(name="baseline", order=10_000_000.0, combine="first", default="none")
"""The orders are those of Calico, whose own tiers may lie between them."""
