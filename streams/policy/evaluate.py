"""One evaluator: policies and a question in, verdict and every contributing rule out.

Each direction is judged alone, at its own end; replies follow the connection. What cannot be known makes that
direction unknown only where it could change the answer.
"""

from dataclasses import replace
from itertools import groupby

from streams.policy.policy_set import Chosen, PolicySet, Selection
from streams.policy.question import Direction, Question
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
    opaque = [policy for policy in selection.opaque if with_staged or not policy.is_staged]
    if opaque:
        return Side("unknown", tuple(Hit(policy, DEFAULT_RULE, "unknown") for policy in opaque))
    passed: list[Hit] = []
    for tier, chosen in selection.tiers:
        asked = chosen if with_staged else tuple(item for item in chosen if not item.policy.is_staged)
        judge = _judge_union if tier.combine == "union" else _judge_first
        side = judge(asked, question, direction)
        if side.action != "none":
            return Side(side.action, (*passed, *side.hits)) if passed else side
        passed += side.hits
    return Side("allow", tuple(passed)) if passed else _NONE


def _judge_first(chosen: tuple[Chosen, ...], question: Question, direction: Direction) -> Side:
    """The first rule that matches decides; one that passes leaves ``none`` with its hit.

    Policies of equal order stand side by side: where they disagree, the API leaves the answer open.
    """
    for _order, equals in groupby(chosen, key=lambda item: item.policy.order):
        hits = [hit for item in equals if (hit := _first_match(item, question, direction)) is not None]
        actions = {hit.action for hit in hits}
        if not actions:
            continue
        if "unknown" in actions or len(actions) > 1:
            return Side("unknown", tuple(replace(hit, action="unknown") for hit in hits))
        action = hits[0].action
        return Side("none" if action == "pass" else action, tuple(hits))
    return _NONE


def _first_match(item: Chosen, question: Question, direction: Direction) -> Hit | None:
    """The first rule that matches, or may match: what follows it cannot be relied on."""
    for rule in item.policy.rules(direction) or ():
        answer = rule.matches(question, direction)
        if answer is False:
            continue
        return Hit(item.policy, rule.index, rule.action if answer and item.is_certain else "unknown")
    return None


def _judge_union(chosen: tuple[Chosen, ...], question: Question, direction: Direction) -> Side:
    """Whoever is selected is isolated, and let through by any matching rule of any selecting policy."""
    allowed: list[Hit] = []
    doubtful: list[Hit] = []
    isolating: list[Hit] = []
    for item in chosen:
        hits, doubts = _match_rules(item, question, direction)
        allowed += hits
        doubtful += doubts
        if item.is_certain:
            isolating.append(Hit(item.policy, DEFAULT_RULE, "deny"))
        else:
            doubtful.append(Hit(item.policy, DEFAULT_RULE, "unknown"))
    if allowed:
        return Side("allow", tuple(allowed))
    if doubtful:
        return Side("unknown", tuple(doubtful))
    return Side("deny", tuple(isolating)) if isolating else _NONE


def _match_rules(item: Chosen, question: Question, direction: Direction) -> tuple[list[Hit], list[Hit]]:
    """The rules that match, and those that may."""
    matching: list[Hit] = []
    doubtful: list[Hit] = []
    for rule in item.policy.rules(direction) or ():
        answer = rule.matches(question, direction)
        if answer and item.is_certain:
            matching.append(Hit(item.policy, rule.index, rule.action))
        elif answer is None or answer:
            doubtful.append(Hit(item.policy, rule.index, "unknown"))
    return matching, doubtful
