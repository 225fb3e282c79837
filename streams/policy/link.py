"""Policies joined to what they refer to: which tier, whose addresses, which policy a staged one will delete."""

from collections.abc import Iterable
from dataclasses import replace

from streams.policy.calico.place import place
from streams.policy.combination import transform
from streams.policy.condition import Condition
from streams.policy.policy import Policy, Rule
from streams.policy.reference import ReferringCondition, ReferringSubject, references
from streams.policy.referent import Referents


def link(policies: Iterable[Policy], referents: Referents) -> list[Policy]:
    """Resolve every reference; policies that refer to nothing come back as they are."""
    linked = [_resolve(policy, referents) if policy.refers_to else policy for policy in policies]
    if referents.tiers or any("tier" in policy.refers_to for policy in linked):
        linked = place(linked, referents.tiers)
    doomed = {(policy.deletes, *_address(policy)) for policy in linked if policy.deletes}
    if not doomed:
        return linked
    return [replace(policy, is_leaving=(policy.kind, *_address(policy)) in doomed) for policy in linked]


def _address(policy: Policy) -> tuple[str, str, str]:
    return policy.namespace, policy.name, policy.tier_name


def _resolve(policy: Policy, referents: Referents) -> Policy:
    subject = policy.subject
    return replace(
        policy,
        subject=subject.resolve(referents) if isinstance(subject, ReferringSubject) else subject,
        ingress=_resolve_rules(policy.ingress, referents),
        egress=_resolve_rules(policy.egress, referents),
        faults=tuple(
            dict.fromkeys((*policy.faults, *(lack for item in references(policy) for lack in item.lacks(referents))))
        ),
    )


def _resolve_rules(rules: tuple[Rule, ...] | None, referents: Referents) -> tuple[Rule, ...] | None:
    if rules is None:
        return None
    return tuple(replace(rule, peers=_resolve_conditions(rule.peers, referents)) for rule in rules)


def _resolve_conditions(conditions: tuple[Condition, ...] | None, referents: Referents) -> tuple[Condition, ...] | None:
    if conditions is None:
        return None

    def resolve(leaf: Condition) -> Condition:
        return leaf.resolve(referents) if isinstance(leaf, ReferringCondition) else leaf

    return tuple(transform(condition, resolve) for condition in conditions)
