"""A trace as the columns that documents carry, and the words for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.policy.trace import DEFAULT_RULE, Hit, Side, SideAction, Trace, combine

_SHOWN_POLICIES = 3  # in a reason; the arrays hold all

_ATTEMPT_REASONS: dict[SideAction, str] = {
    "deny": "{}",
    "allow": "dropped or rejected on the node, though {}",
    "unknown": "dropped or rejected on the node; {}",
    "none": "dropped or rejected on the node; no policy explains it, none selects either end",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policies say of a pair of ends, ready to be put into columns."""

    policy_verdict: str
    words: str = ""
    """What made it so; empty where nothing did."""
    ingress_policies: tuple[str, ...] = ()
    egress_policies: tuple[str, ...] = ()
    denied_by: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    """Hits if staged policies were enforced; empty where that changes nothing."""
    attempt_reason: str = ""
    """In words, if the first packets were dropped or rejected on a node."""
    silent_reason: str | None = None
    """In words, if nothing ever answered; None where the policies do not explain that."""
    answer_reason: str | None = None
    """In words, if it was answered; None where that is as it should be."""
    rule_name: str | None = None
    rule_id: str | None = None
    rule_ruleset: str | None = None
    rule_category: str | None = None
    rule_uuid: str | None = None


def verdict_of(trace: Trace) -> Verdict:
    """Render a trace."""
    action = combine(trace.egress, trace.ingress)
    decided = _decided(trace)
    rule: dict[str, Any] = {} if decided is None else _rule(*decided)
    words = _words(trace, action)
    is_deny = action == "deny"
    return Verdict(
        policy_verdict=action,
        words=words,
        ingress_policies=_texts(trace.ingress),
        egress_policies=_texts(trace.egress),
        denied_by=tuple(str(hit) for hit in trace.denied_by),
        pending=_pending(trace),
        attempt_reason=_ATTEMPT_REASONS[action].format(words),
        silent_reason=f"no answer; {words}" if is_deny else None,
        answer_reason=f"went through, though {words}" if is_deny else None,
        **rule,
    )


def policy_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """The ``policy`` record of a judged row or of a window's row."""
    return {
        "verdict": row["policy_verdict"],
        "ingress": {"policies": row["ingress_policies"]},
        "egress": {"policies": row["egress_policies"]},
        "denied_by": row["denied_by"],
        "pending": row["pending"],
        "drift": row["drift"],
    }


def rule_record(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The ``rule`` record; None when no policy decided."""
    if row["rule_name"] is None:
        return None
    return {
        "name": row["rule_name"],
        "id": row["rule_id"] or "",
        "ruleset": row["rule_ruleset"] or "",
        "category": row["rule_category"] or "",
        "uuid": row["rule_uuid"] or "",
    }


def _texts(side: Side) -> tuple[str, ...]:
    return tuple(str(hit) for hit in side.hits)


def _pending(trace: Trace) -> tuple[str, ...]:
    if (trace.pending_egress, trace.pending_ingress) == (trace.egress, trace.ingress):
        return ()
    return (*_texts(trace.pending_egress), *_texts(trace.pending_ingress))


def _decided(trace: Trace) -> tuple[str, Hit] | None:
    """The hit that decided: the first to deny, on the way of the packet, else the last to let it through."""
    sides = (("egress", trace.egress), ("ingress", trace.ingress))
    for name, side in sides:
        if side.action == "deny" and side.hits:
            return name, next(hit for hit in side.hits if hit.action == "deny")
    if combine(trace.egress, trace.ingress) != "allow":
        return None
    return next(((name, side.hits[-1]) for name, side in reversed(sides) if side.hits), None)


def _rule(category: str, hit: Hit) -> dict[str, str]:
    policy = hit.policy
    return {
        "rule_name": f"{policy.namespace}/{policy.name}" if policy.namespace else policy.name,
        "rule_id": "" if hit.rule == DEFAULT_RULE else str(hit.rule),
        "rule_ruleset": f"{policy.kind}:{policy.tier_name}" if policy.tier_name else policy.kind,
        "rule_category": category,
        "rule_uuid": policy.uid,
    }


def _words(trace: Trace, action: SideAction) -> str:
    """What the directions that made the verdict say."""
    sides = (("egress", trace.egress), ("ingress", trace.ingress))
    named = [_side_words(name, side) for name, side in sides if side.action == action and side.hits]
    return "; ".join(named)


def _side_words(direction: str, side: Side) -> str:
    hits = [hit for hit in side.hits if hit.action == side.action] or list(side.hits)
    names = list(dict.fromkeys(_policy_words(hit) for hit in hits))
    listed = ", ".join(names[:_SHOWN_POLICIES])
    if len(names) > _SHOWN_POLICIES:
        listed += f" and {len(names) - _SHOWN_POLICIES} more"
    if side.action == "deny" and hits[-1].rule == DEFAULT_RULE:
        return f"{direction} isolated by {listed}, none of whose rules allows it"
    words = {"allow": "allowed by", "deny": "denied by", "unknown": "not decidable because of"}
    return f"{direction} {words[side.action]} {listed}"


def _policy_words(hit: Hit) -> str:
    policy = hit.policy
    return f"{policy.kind} {policy.namespace}/{policy.name}" if policy.namespace else f"{policy.kind} {policy.name}"
