"""Conditions, rules and policies in words, as people say them."""

from ipaddress import ip_address, summarize_address_range

from streams.policy.condition import Condition, InNetwork, NamedBy, NamedPort, OnNodes, PodsAcross, PodsIn, PortRange
from streams.policy.network import Network
from streams.policy.policy import Policy, Rule
from streams.policy.question import Direction
from streams.policy.selector import EVERYTHING, LabelMatch, LabelSelector, Requirement

_LAST_PORT = 65535
_SHOWN_CHARACTERS = 120
_SIGNS = {"In": "in", "NotIn": "not in"}


def describe_policy_name(policy: Policy) -> str:
    """Kind and name."""
    return f"{policy.kind} {policy.namespace}/{policy.name}" if policy.namespace else f"{policy.kind} {policy.name}"


def describe_rule(rule: Rule, direction: Direction) -> str:
    """What a rule asks."""
    word = "from" if direction == "ingress" else "to"
    return f"{rule.action} {word} {describe_all(rule.peers, 'anybody')} on {describe_all(rule.ports, 'any port')}"


def describe_all(conditions: tuple[Condition, ...] | None, anything: str) -> str:
    """Alternatives; ``anything`` where nothing is asked."""
    if conditions is None:
        return anything
    return " or ".join(describe(condition) for condition in conditions) or "nobody"


def describe(condition: Condition) -> str:  # noqa: PLR0911 - one return a sort of condition
    """One alternative."""
    match condition:
        case PodsIn():
            return f"{_pods(condition.pods)} in namespace {condition.namespace}"
        case PodsAcross():
            return f"{_pods(condition.pods)} in {_namespaces(condition.namespaces)}"
        case InNetwork():
            exceptions = ", ".join(describe_network(block) for block in condition.exceptions)
            return describe_network(condition.block) + (f" without {exceptions}" if exceptions else "")
        case OnNodes():
            return f"nodes with {describe_selector(condition.nodes)}"
        case NamedBy():
            return f"name {condition.name}"
        case PortRange():
            return _ports(condition)
        case NamedPort():
            return f"{condition.protocol or 'any'} port named {condition.name}"
        case _:
            return str(condition)[:_SHOWN_CHARACTERS]


def describe_selector(selector: LabelMatch) -> str:
    """Requirements, as kubectl writes them."""
    if isinstance(selector, LabelSelector):
        return ",".join(describe_requirement(item) for item in selector.requirements) or "any labels"
    return str(selector)[:_SHOWN_CHARACTERS]


def describe_requirement(requirement: Requirement) -> str:
    """One requirement."""
    values = sorted(requirement.values)
    if requirement.operator == "In" and len(values) == 1:
        return f"{requirement.key}={values[0]}"
    if requirement.operator in _SIGNS:
        return f"{requirement.key} {_SIGNS[requirement.operator]} ({','.join(values)})"
    return requirement.key if requirement.operator == "Exists" else f"!{requirement.key}"


def describe_network(network: Network) -> str:
    """A block in CIDR notation."""
    make = [ip_address(number.to_bytes(4 if network.version == 4 else 16, "big"))  # noqa: PLR2004 - IP version
            for number in (network.first, network.last)]  # fmt: skip
    return ", ".join(str(block) for block in summarize_address_range(make[0], make[1]))


def _pods(selector: LabelMatch) -> str:
    return "all pods" if selector == EVERYTHING else f"pods with {describe_selector(selector)}"


def _namespaces(selector: LabelMatch) -> str:
    return "any namespace" if selector == EVERYTHING else f"namespaces with {describe_selector(selector)}"


def _ports(ports: PortRange) -> str:
    if (ports.first, ports.last) == (0, _LAST_PORT):
        return f"any {ports.protocol} port"
    return f"{ports.protocol} {ports.first}" + ("" if ports.first == ports.last else f"-{ports.last}")
