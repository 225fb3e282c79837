"""What the policies say of one connection, with every rule that made them say so."""

from dataclasses import dataclass
from typing import Literal

from streams.policy.policy import Action, Policy

DEFAULT_RULE = -1
"""Index of the default deny of a policy that isolates."""
SideAction = Literal["allow", "deny", "unknown", "none"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that contributed."""

    policy: Policy
    rule: int
    action: Action | Literal["unknown"]

    def __str__(self) -> str:
        policy = self.policy
        tier = f":{policy.tier_name}" if policy.tier_name else ""
        return f"{policy.kind}:{policy.namespace}/{policy.name}{tier}:rule={self.rule}:{self.action}"


@dataclass(frozen=True, slots=True)
class Side:
    """One direction. ``none``: no policy selects this end, or it is outside the cluster."""

    action: SideAction
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """Both directions; the pending ones are what they would be if staged policies were enforced."""

    egress: Side
    ingress: Side
    pending_egress: Side
    pending_ingress: Side

    @property
    def verdict(self) -> SideAction:
        """Both ends must allow: the worse of both decides."""
        return combine(self.egress, self.ingress)

    @property
    def denied_by(self) -> tuple[Hit, ...]:
        """Every hit of a direction that denies, egress first; the first one is named as the rule that decided."""
        return tuple(
            hit
            for side in (self.egress, self.ingress)
            if side.action == "deny"
            for hit in side.hits
            if hit.action == "deny"
        )


def combine(egress: Side, ingress: Side) -> SideAction:
    """Deny wins, for one end's no is enough; then unknown; ``none`` only when neither end is selected."""
    actions = {egress.action, ingress.action}
    for action in ("deny", "unknown", "allow"):
        if action in actions:
            return action
    return "none"
