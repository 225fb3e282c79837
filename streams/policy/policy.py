"""The one internal form of a policy, whatever kind it was written as.

Tiers are asked in their order. In a tier either the union of the selecting policies decides (NetworkPolicy: no order,
whoever is selected is denied by default) or the first rule that matches; a tier without an answer, or one whose rule
passes, hands the connection to the next tier; after the last tier it is allowed.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from streams.metadata.endpoint import Endpoint
from streams.policy.condition import Condition, holds_any
from streams.policy.question import Direction, Question
from streams.policy.referent import ReferentKind
from streams.policy.selector import LabelMatch
from streams.policy.tier import Tier

Action = Literal["allow", "deny", "pass", "log"]
"""``log`` decides nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Peers and ports must both match; None asks nothing, an empty tuple matches nothing."""

    index: int
    action: Action
    peers: tuple[Condition, ...] | None = None
    ports: tuple[Condition, ...] | None = None

    def matches(self, question: Question, direction: Direction) -> bool | None:
        """Tell whether the rule speaks of this connection; None when that cannot be known."""
        ports = holds_any(self.ports, question, direction)
        if ports is False:
            return False
        peers = holds_any(self.peers, question, direction)
        if peers is False:
            return False
        return None if ports is None or peers is None else True


class Selects(Protocol):
    """Whatever tells which pods a policy is about; other policy languages bring their own."""

    @property
    def namespace(self) -> str | None:
        """None where the policy may select pods of any namespace."""

    def selects(self, pod: Endpoint) -> bool | None:
        """Tell whether the policy is about this pod; None when that cannot be known."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The pods that a policy is about. ``is_doubtful``: it may be about them or not, nobody can say."""

    namespace: str | None
    """None for cluster-wide kinds."""
    namespaces: LabelMatch
    pods: LabelMatch
    is_doubtful: bool = False

    def selects(self, pod: Endpoint) -> bool | None:
        """Tell whether the policy is about this pod."""
        if self.namespace is not None and pod.namespace != self.namespace:
            return False
        if not (self.namespaces.matches(pod.namespace_labels) and self.pods.matches(pod.labels)):
            return False
        return None if self.is_doubtful else True


_BOTH: frozenset[Direction] = frozenset({"ingress", "egress"})


@dataclass(frozen=True, slots=True)
class Policy:
    """A compiled policy. ``ingress`` or ``egress`` is None where it does not speak of that direction."""

    kind: str
    namespace: str
    name: str
    uid: str
    tier: Tier
    subject: Selects
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None
    order: float = 0.0
    """Policies of a tier where the first match decides ascend."""
    tie: str = ""
    """Then by this; policies equal in both stand side by side."""
    isolates: frozenset[Direction] = _BOTH
    """Directions in which whoever a policy of a union selects is denied by default."""
    is_staged: bool = False
    is_leaving: bool = False
    """In force, but a staged policy says that it will be deleted."""
    deletes: str = ""
    """Kind of the policy of this name and tier that a staged policy will delete."""
    is_opaque: bool = False
    """Of a kind not known here, or its place is not known: what it selects has an unknown verdict, in any tier."""
    faults: tuple[str, ...] = ()
    """What could not be understood, in words."""
    tier_name: str = ""
    """As hits show it; empty where the kind has no tiers."""
    refers_to: frozenset[ReferentKind] = frozenset()
    """What must be known besides the policy before it can be judged by; see link."""

    def rules(self, direction: Direction) -> tuple[Rule, ...] | None:
        """Rules of one direction."""
        return self.egress if direction == "egress" else self.ingress

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """An order that does not depend on who listed the policies."""
        return (self.namespace, self.name, self.kind)
