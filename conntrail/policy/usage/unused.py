"""Policies and rules that did nothing in a period, that can do nothing, or that allow more than was used."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from conntrail.policy.cluster.snapshot import Snapshot
from conntrail.policy.history.replay import questions_of
from conntrail.policy.history.seen import History
from conntrail.policy.usage.cover import is_shadowed
from conntrail.policy.usage.rows import PolicyName, name_of, name_of_hit, selected_pods
from streams.policy.condition import PortRange
from streams.policy.describe import describe, describe_policy_name, describe_rule
from streams.policy.policy import Policy, Rule
from streams.policy.question import Direction, Question

_DIRECTIONS: tuple[Direction, Direction] = ("ingress", "egress")
_SHOWN_PORTS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that could go."""

    policy: Policy
    problem: str
    """selects-nothing, never-matched, shadowed, wider-than-used."""
    words: str
    direction: str = ""
    rule: int | None = None


@dataclass(slots=True)
class _Use:
    """Which alternatives of a rule were met by traffic that was allowed."""

    peers: set[int] = field(default_factory=set)
    ports: dict[int, set[int]] = field(default_factory=dict)
    is_met: bool = False


_Uses = dict[tuple[PolicyName, str, int], _Use]


def unused(snapshot: Snapshot, history: History, namespace: str) -> list[Finding]:
    """In the order of the policies; what is staged decided nothing and is left out, as is what is not understood."""
    policies = [
        policy
        for policy in snapshot.policies.policies
        if not policy.is_staged and not policy.is_opaque and (not namespace or policy.namespace == namespace)
    ]
    matched = {(name_of_hit(hit.key), hit.key.direction, hit.key.rule) for hit in history.hits}
    uses = _uses(snapshot, history)
    found: list[Finding] = []
    for policy in policies:
        if not selected_pods(policy, snapshot):
            found.append(Finding(policy, "selects-nothing", "it selects no present pod"))
        for direction, rule in _rules(policy):
            use = uses.get((name_of(policy), direction, rule.index), _Use())
            shadow = _shadow(policy, direction, rule, snapshot)
            if shadow:
                found.append(Finding(policy, "shadowed", shadow, direction, rule.index))
            elif (name_of(policy), direction, rule.index) not in matched and not use.is_met:
                words = f"nothing matched it: {describe_rule(rule, direction)}"
                found.append(Finding(policy, "never-matched", words, direction, rule.index))
            else:
                found += [
                    Finding(policy, "wider-than-used", words, direction, rule.index)
                    for words in _width(rule, direction, use)
                ]
    return found


def finding_row(finding: Finding) -> dict[str, object]:
    """As it is printed."""
    return {
        "policy": describe_policy_name(finding.policy),
        "direction": finding.direction,
        "rule": "" if finding.rule is None else str(finding.rule),
        "problem": finding.problem,
        "detail": finding.words,
    }


def _rules(policy: Policy) -> Iterator[tuple[Direction, Rule]]:
    for direction in _DIRECTIONS:
        for rule in policy.rules(direction) or ():
            yield direction, rule


def _shadow(policy: Policy, direction: Direction, rule: Rule, snapshot: Snapshot) -> str:
    """Which rule makes this one idle; of two alike the later one is."""
    for other in snapshot.policies.candidates(policy.namespace, direction).policies:
        for wide in other.rules(direction) or ():
            if other is policy and wide.index == rule.index:
                if policy.tier.combine == "first":
                    break
                continue
            if not is_shadowed(rule, policy, wide, other, snapshot.namespaces):
                continue
            is_mutual = is_shadowed(wide, other, rule, policy, snapshot.namespaces)
            if is_mutual and _place(policy, rule) < _place(other, wide):
                continue
            return f"{describe_policy_name(other)} rule {wide.index} speaks of all that it does"
    return ""


def _place(policy: Policy, rule: Rule) -> tuple[tuple[str, str, str], int]:
    return policy.sort_key, rule.index


def _uses(snapshot: Snapshot, history: History) -> _Uses:
    """What allowed traffic met, by policy, direction and rule."""
    uses: _Uses = {}
    for seen in history.seen:
        if seen.key.action != "allowed":
            continue
        for question in questions_of(seen, history, snapshot):
            for direction in _DIRECTIONS:
                _note_direction(direction, question, snapshot, uses)
    return uses


def _note_direction(direction: Direction, question: Question, snapshot: Snapshot, uses: _Uses) -> None:
    pod = (question.source if direction == "egress" else question.destination).pod
    if pod is None:
        return
    for policy in snapshot.policies.candidates(pod.namespace, direction).of(pod):
        rules = policy.rules(direction)
        if not rules or policy.subject.selects(pod) is False:
            continue
        for rule in rules:
            if rule.matches(question, direction) is not False:
                _note(uses.setdefault((name_of(policy), direction, rule.index), _Use()), rule, question, direction)


def _note(use: _Use, rule: Rule, question: Question, direction: Direction) -> None:
    use.is_met = True
    use.peers |= {
        number for number, peer in enumerate(rule.peers or ()) if peer.holds(question, direction) is not False
    }
    for number, port in enumerate(rule.ports or ()):
        if port.holds(question, direction) is not False:
            use.ports.setdefault(number, set()).add(question.port)


def _width(rule: Rule, direction: Direction, use: _Use) -> Iterator[str]:
    """Alternatives that were never used, of a rule that was; without windows nothing is said."""
    if not use.is_met:
        return
    word = "from" if direction == "ingress" else "to"
    for number, peer in enumerate(rule.peers or ()):
        if number not in use.peers:
            yield f"{word} {describe(peer)} was never used"
    for number, port in enumerate(rule.ports or ()):
        used = sorted(use.ports.get(number, ()))
        if not used:
            yield f"{describe(port)} was never used"
        elif isinstance(port, PortRange) and port.last - port.first + 1 > len(used):
            shown = ", ".join(str(number) for number in used[:_SHOWN_PORTS])
            more = f" and {len(used) - _SHOWN_PORTS} more" if len(used) > _SHOWN_PORTS else ""
            yield f"of {describe(port)} only {shown}{more} was used"
