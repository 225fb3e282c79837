"""One evaluator: policies and a question in, verdict and every contributing rule out.

Each direction is judged alone, at its own end; replies follow the connection. What cannot be known makes that
direction unknown only where it could change the answer.
"""

from dataclasses import replace
from itertools import groupby
from typing import Literal

from streams.policy.policy import Policy
from streams.policy.policy_set import Chosen, PolicySet, Selection
from streams.policy.question import Direction, Question
from streams.policy.tier import Tier
from streams.policy.trace import DEFAULT_RULE, Hit, Side, Trace

_NONE = Side("none")
_UNJUDGED = Trace(_NONE, _NONE, _NONE, _NONE)


def evaluate(policies: PolicySet, question: Question) -> Trace:
    """Judge one connection against the policies in force."""
    return judge_selected(
        policies.select(question.source.pod, "egress"), policies.select(question.destination.pod, "ingress"), question
    )


def judge_selected(egress: Selection, ingress: Selection, question: Question) -> Trace:
    """Judge with the policies of both ends already found, which callers may remember per identity."""
    if question.is_to_itself():
        return _UNJUDGED
    egress_side, pending_egress = _judge_both_ways(egress, question, "egress")
    if question.is_from_own_node():
        ingress_side = pending_ingress = _NONE
    else:
        ingress_side, pending_ingress = _judge_both_ways(ingress, question, "ingress")
    return Trace(egress_side, ingress_side, pending_egress, pending_ingress)


def _judge_both_ways(selection: Selection, question: Question, direction: Direction) -> tuple[Side, Side]:
    """Judge as enforced, and as it would be with the staged policies."""
    enforced = _judge_side(selection, question, direction, with_staged=False)
    if not selection.has_staged:
        return enforced, enforced
    return enforced, _judge_side(selection, question, direction, with_staged=True)


def _judge_side(selection: Selection, question: Question, direction: Direction, *, with_staged: bool) -> Side:
    if selection.opaque:
        opaque = [policy for policy in selection.opaque if _is_asked(policy, with_staged=with_staged)]
        if opaque:
            return Side("unknown", tuple(Hit(policy, DEFAULT_RULE, "unknown") for policy in opaque))
    passed: list[Hit] = []
    doubts: list[Hit] = []
    for tier, chosen in selection.tiers:
        asked = chosen
        if selection.has_staged:
            asked = tuple(item for item in chosen if _is_asked(item.policy, with_staged=with_staged))
        if tier.combine == "union":
            side = _judge_union(asked, question, direction)
        else:
            side = _judge_first(tier, asked, question, direction, doubts)
        if side.action != "none":
            return _decide(side, passed, doubts) if passed or doubts else side
        passed += side.hits
    return _decide(Side("allow", ()) if passed else _NONE, passed, doubts)


def _is_asked(policy: Policy, *, with_staged: bool) -> bool:
    return not policy.is_leaving if with_staged else not policy.is_staged


def _decide(side: Side, passed: list[Hit], doubts: list[Hit]) -> Side:
    """What may or may not have decided before changes nothing where it would have decided the same."""
    if any(doubt.action != side.action for doubt in doubts):
        named = (*(replace(doubt, action="unknown") for doubt in doubts), *side.hits)
        return Side("unknown", named if side.action == "unknown" else named[: len(doubts)])
    return Side(side.action, (*passed, *side.hits)) if passed else side


def _judge_first(
    tier: Tier, chosen: tuple[Chosen, ...], question: Question, direction: Direction, doubts: list[Hit]
) -> Side:
    """The first rule that matches decides; one that passes leaves ``none`` with its hit.

    Policies of equal order stand side by side: where they disagree, the API leaves the answer open. A rule that may
    match is added to ``doubts`` with what it would decide.
    """
    for _rank, equals in groupby(chosen, key=_rank_in_tier):
        hits = [hit for item in equals if (hit := _first_match(item, question, direction, doubts)) is not None]
        actions = {hit.action for hit in hits}
        if not actions:
            continue
        if len(actions) > 1:
            return Side("unknown", tuple(replace(hit, action="unknown") for hit in hits))
        action = hits[0].action
        return Side("deny" if action == "deny" else "allow" if action == "allow" else "none", tuple(hits))
    return _NONE if tier.default == "none" else _default(tier.default, chosen, doubts)


def _rank_in_tier(item: Chosen) -> tuple[float, str]:
    return item.policy.order, item.policy.tie


def _default(action: Literal["deny", "pass"], chosen: tuple[Chosen, ...], doubts: list[Hit]) -> Side:
    """Whoever is selected and not spoken of has the tier's default; the policy asked first is the trigger."""
    certain = tuple(Hit(item.policy, DEFAULT_RULE, action) for item in chosen if item.is_certain)
    if certain:
        return Side("deny" if action == "deny" else "none", certain)
    doubts += [Hit(item.policy, DEFAULT_RULE, action) for item in chosen]
    return _NONE


def _first_match(item: Chosen, question: Question, direction: Direction, doubts: list[Hit]) -> Hit | None:
    """The first rule that matches; those before it that may match are doubts, and so is that of a doubtful policy."""
    for rule in item.policy.rules(direction) or ():
        if rule.action == "log":
            continue
        answer = rule.matches(question, direction)
        if answer is False:
            continue
        hit = Hit(item.policy, rule.index, rule.action)
        if answer and item.is_certain:
            return hit
        doubts.append(hit)
        if answer:
            break
    return None


def _judge_union(chosen: tuple[Chosen, ...], question: Question, direction: Direction) -> Side:
    """Whoever is selected is isolated, and let through by any rule that allows unless another denies."""
    matching: list[Hit] = []
    doubtful: list[Hit] = []
    isolating: list[Hit] = []
    for item in chosen:
        hits, doubts = _match_rules(item, question, direction)
        matching += hits
        doubtful += doubts
        if direction not in item.policy.isolates:
            continue
        if item.is_certain:
            isolating.append(Hit(item.policy, DEFAULT_RULE, "deny"))
        else:
            doubtful.append(Hit(item.policy, DEFAULT_RULE, "deny"))
    side = _judge_matching(matching, isolating)
    if doubtful:
        would_change = tuple(replace(hit, action="unknown") for hit in doubtful if _would_change(hit, side))
        return Side("unknown", would_change) if would_change else side
    return side


def _judge_matching(matching: list[Hit], isolating: list[Hit]) -> Side:
    if not matching:
        return Side("deny", tuple(isolating)) if isolating else _NONE
    denying = tuple(hit for hit in matching if hit.action == "deny")
    return Side("deny", denying) if denying else Side("allow", tuple(matching))


def _would_change(doubt: Hit, side: Side) -> bool:
    """A rule that denies beats all, one that allows beats only the default; a doubtful policy may hold any rule."""
    is_default = side.action == "none" or (side.action == "deny" and side.hits[0].rule == DEFAULT_RULE)
    if doubt.rule == DEFAULT_RULE:
        return is_default
    if doubt.action == "allow":
        return is_default and side.action == "deny"
    return side.action != "deny"


def _match_rules(item: Chosen, question: Question, direction: Direction) -> tuple[list[Hit], list[Hit]]:
    """The rules that match, and those that may."""
    matching: list[Hit] = []
    doubtful: list[Hit] = []
    for rule in item.policy.rules(direction) or ():
        answer = rule.matches(question, direction)
        if answer and item.is_certain:
            matching.append(Hit(item.policy, rule.index, rule.action))
        elif answer is None or answer:
            doubtful.append(Hit(item.policy, rule.index, rule.action))
    return matching, doubtful
