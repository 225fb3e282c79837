"""The policies in force at one instant, in the order in which they are asked, found by the pod's namespace."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from streams.metadata.endpoint import Endpoint
from streams.policy.link import link
from streams.policy.policy import Policy, Subject
from streams.policy.question import Direction
from streams.policy.referent import Referent, gather
from streams.policy.selector import LabelSelector
from streams.policy.tier import Tier

_DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A policy that speaks of a pod; ``is_certain`` is False where it may or may not."""

    policy: Policy
    is_certain: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """What speaks of one pod in one direction: tiers in order, each with at least one policy."""

    tiers: tuple[tuple[Tier, tuple[Chosen, ...]], ...] = ()
    opaque: tuple[Policy, ...] = ()
    has_staged: bool = False


NOTHING = Selection()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may speak of the pods of a namespace in one direction, found by a label that it requires."""

    policies: tuple[Policy, ...]
    """All, in the order in which they are asked."""
    by_label: Mapping[tuple[str, str], tuple[int, ...]]
    """Positions of policies that select only pods with this label."""
    others: tuple[int, ...]

    def of(self, pod: Endpoint) -> list[Policy]:
        """Every policy that may select the pod, in order."""
        positions = list(self.others)
        for label in pod.labels.items():
            positions += self.by_label.get(label, ())
        positions.sort()
        return [self.policies[position] for position in positions]


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Build it by ``policy_set``."""

    policies: tuple[Policy, ...]
    by_place: Mapping[tuple[str, Direction], Candidates]
    """For each namespace with policies of its own: these and the cluster-wide ones; for the empty one the latter."""

    def candidates(self, namespace: str, direction: Direction) -> Candidates:
        """Find what may speak of the pods of a namespace."""
        return self.by_place.get((namespace, direction)) or self.by_place["", direction]

    def select(self, pod: Endpoint | None, direction: Direction) -> Selection:
        """Find what speaks of a pod in a direction; O(labels of the pod and policies that may select it)."""
        if pod is None:
            return NOTHING
        chosen = []
        opaque = []
        for policy in self.candidates(pod.namespace, direction).of(pod):
            selects = policy.subject.selects(pod)
            if selects is False:
                continue
            if policy.is_opaque:
                opaque.append(policy)
            else:
                chosen.append(Chosen(policy, is_certain=selects is True))
        if not chosen and not opaque:
            return NOTHING
        return Selection(
            tiers=tuple((tier, tuple(group)) for tier, group in groupby(chosen, key=lambda item: item.policy.tier)),
            opaque=tuple(opaque),
            has_staged=any(_is_changing(policy) for policy in (*opaque, *(item.policy for item in chosen))),
        )


def _is_changing(policy: Policy) -> bool:
    return policy.is_staged or policy.is_leaving


@dataclass(frozen=True, slots=True)
class Epoch:
    """A set of policies. Instants with the same policies share it; no other set ever has its number."""

    number: int
    policies: PolicySet


def policy_set(compiled: Iterable[Policy | Referent]) -> PolicySet:
    """Join policies to what they refer to and order them by tier, order and name, whatever order they come in."""
    policies, referents = _part(compiled)
    ordered = tuple(sorted(link(policies, gather(referents)), key=_rank))
    namespaces = {policy.subject.namespace or "" for policy in ordered} | {""}
    by_namespace: dict[str, list[Policy]] = {namespace: [] for namespace in namespaces}
    for policy in ordered:
        for namespace in namespaces if policy.subject.namespace is None else (policy.subject.namespace,):
            by_namespace[namespace].append(policy)
    by_place = {
        (namespace, direction): _candidates(group, direction)
        for namespace, group in by_namespace.items()
        for direction in _DIRECTIONS
    }
    return PolicySet(ordered, by_place)


def _candidates(policies: Iterable[Policy], direction: Direction) -> Candidates:
    speaking = tuple(policy for policy in policies if policy.rules(direction) is not None)
    by_label: dict[tuple[str, str], list[int]] = {}
    others: list[int] = []
    for position, policy in enumerate(speaking):
        label = _required_label(policy)
        (others if label is None else by_label.setdefault(label, [])).append(position)
    return Candidates(speaking, {label: tuple(found) for label, found in by_label.items()}, tuple(others))


def _required_label(policy: Policy) -> tuple[str, str] | None:
    """Only the selectors of Kubernetes are looked into; other languages are asked each time."""
    subject = policy.subject
    if isinstance(subject, Subject) and isinstance(subject.pods, LabelSelector):
        return subject.pods.required_label()
    return None


def _part(compiled: Iterable[Policy | Referent]) -> tuple[list[Policy], list[Referent]]:
    policies: list[Policy] = []
    referents: list[Referent] = []
    for item in compiled:
        if isinstance(item, Policy):
            policies.append(item)
        else:
            referents.append(item)
    return policies, referents


def _rank(policy: Policy) -> tuple[float, str, float, str, tuple[str, str, str]]:
    return (policy.tier.order, policy.tier.name, policy.order, policy.tie, policy.sort_key)
