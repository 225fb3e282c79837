"""The rule that came nearest to allowing a connection, and which part of it failed, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streams.policy.condition import Condition, InNetwork, OnNodes, PodsAcross, PodsIn, holds_any
from streams.policy.describe import (
    describe,
    describe_all,
    describe_policy_name,
    describe_requirement,
    describe_selector,
)
from streams.policy.policy import Policy, Rule
from streams.policy.question import Direction, End, Question
from streams.policy.selector import LabelMatch, LabelSelector
from streams.policy.trace import DEFAULT_RULE, Side, Trace

_FAR = 100
"""A peer of another sort altogether, such as a CIDR block for a pod's name, is further than any label."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A rule that does not match, and why."""

    policy: Policy
    rule: Rule
    parts: tuple[str, ...]
    """Which parts failed: selector, namespace, address, name, port."""
    words: tuple[str, ...]
    distance: int
    """How much would have to be otherwise; 1 is one label, port or namespace."""


@dataclass(frozen=True, slots=True)
class _Failure:
    distance: int
    parts: tuple[str, ...]
    words: tuple[str, ...]


def nearest_miss(policies: Iterable[Policy], question: Question, direction: Direction) -> Miss | None:
    """Of the rules that could have allowed it; None when there is no such rule. Equally near: the first one."""
    misses = [
        _miss(policy, rule, question, direction)
        for policy in policies
        for rule in policy.rules(direction) or ()
        if rule.action != "deny"
    ]
    return min(misses, key=lambda miss: miss.distance, default=None)


def is_default_deny(side: Side) -> bool:
    """Whether it is denied because nothing allows it."""
    return side.action == "deny" and any(hit.rule == DEFAULT_RULE for hit in side.hits)


def miss_of(side: Side, question: Question, direction: Direction) -> Miss | None:
    """The nearest miss of the policies that isolate."""
    return nearest_miss((hit.policy for hit in side.hits if hit.rule == DEFAULT_RULE), question, direction)


def miss_words(miss: Miss | None) -> str:
    """Which rule it was, and why it did not allow, on one line."""
    if miss is None:
        return "no policy that isolates it has a rule that could allow"
    why = "; ".join(miss.words)
    parts = " and ".join(dict.fromkeys(miss.parts))
    return f"{describe_policy_name(miss.policy)} rule {miss.rule.index} fails by {parts}: {why}"


def nearest_words(trace: Trace, question: Question) -> str | None:
    """Of the first direction that is denied because nothing allows it; None when a rule denies."""
    sides: tuple[tuple[Direction, Side], ...] = (("egress", trace.egress), ("ingress", trace.ingress))
    for direction, side in sides:
        if is_default_deny(side):
            return f"{direction}: {miss_words(miss_of(side, question, direction))}"
    return None


def _miss(policy: Policy, rule: Rule, question: Question, direction: Direction) -> Miss:
    failures = []
    if not holds_any(rule.peers, question, direction):
        failures.append(_peer_failure(rule, question, direction))
    if not holds_any(rule.ports, question, direction):
        words = f"it allows {describe_all(rule.ports, '')}, not {question.protocol} {question.port}"
        failures.append(_Failure(1, ("port",), (words,)))
    return Miss(
        policy,
        rule,
        tuple(part for failure in failures for part in failure.parts),
        tuple(word for failure in failures for word in failure.words),
        sum(failure.distance for failure in failures),
    )


def _peer_failure(rule: Rule, question: Question, direction: Direction) -> _Failure:
    failures = [_condition_failure(peer, question, direction) for peer in rule.peers or ()]
    return min(failures, key=lambda failure: failure.distance, default=_Failure(_FAR, ("selector",), ("no peer",)))


def _condition_failure(peer: Condition, question: Question, direction: Direction) -> _Failure:
    end = question.peer(direction)
    match peer:
        case PodsIn() | PodsAcross() if end.pod is None:
            return _Failure(_FAR, ("selector",), (f"it wants {describe(peer)}, and {_end_words(end)} is no pod",))
        case PodsIn():
            assert end.pod is not None
            failure = _selector_failure("selector", "the pod", peer.pods, end.pod.labels)
            if end.pod.namespace != peer.namespace:
                words = f"it wants namespace {peer.namespace}, the pod is in {end.pod.namespace}"
                failure = _Failure(failure.distance + 1, ("namespace", *failure.parts), (words, *failure.words))
            return failure
        case PodsAcross():
            assert end.pod is not None
            pods = _selector_failure("selector", "the pod", peer.pods, end.pod.labels)
            name = f"namespace {end.pod.namespace}"
            spaces = _selector_failure("namespace", name, peer.namespaces, end.pod.namespace_labels)
            return _Failure(pods.distance + spaces.distance, spaces.parts + pods.parts, spaces.words + pods.words)
        case InNetwork():
            return _Failure(_FAR - 1, ("address",), (f"{_end_words(end)} is not in {describe(peer)}",))
        case OnNodes():
            return _Failure(_FAR, ("selector",), (f"it wants {describe(peer)}",))
        case _:
            return _Failure(_FAR, ("selector",), (f"it wants {describe(peer)}",))


def _selector_failure(part: str, who: str, selector: LabelMatch, labels: Mapping[str, str]) -> _Failure:
    """Each requirement that is not met, with what is there instead."""
    if selector.matches(labels):
        return _Failure(0, (), ())
    if not isinstance(selector, LabelSelector):
        return _Failure(1, (part,), (f"it wants {describe_selector(selector)}",))
    unmet = [item for item in selector.requirements if not item.matches(labels)]
    words = tuple(
        f"it wants {describe_requirement(item)}, {who} has "
        + (f"{item.key}={labels[item.key]}" if item.key in labels else f"no label {item.key}")
        for item in unmet
    )
    return _Failure(len(unmet), (part,), words)


def _end_words(end: End) -> str:
    if end.endpoint is not None:
        return f"{end.endpoint.kind} {end.endpoint.name}"
    return "the address outside the cluster"
