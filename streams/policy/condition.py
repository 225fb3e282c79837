"""What a rule asks of a connection: alternatives for its far end and for its port.

Answers have three values: True, False, and None where this evaluator cannot know, so that what it does not
understand is never taken for a yes or a no.
"""

from dataclasses import dataclass
from typing import Protocol

from streams.policy.network import Network
from streams.policy.question import Direction, Question
from streams.policy.selector import LabelMatch


class Condition(Protocol):
    """One alternative of a rule's peers or ports; other policy languages bring their own."""

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """Tell whether it holds for a rule of this direction."""


@dataclass(frozen=True, slots=True)
class PodsIn:
    """Pods of one namespace, by their labels."""

    namespace: str
    pods: LabelMatch

    def holds(self, question: Question, direction: Direction) -> bool:
        """Only a pod on the cluster's network can match, never an address."""
        pod = question.peer(direction).pod
        return pod is not None and pod.namespace == self.namespace and self.pods.matches(pod.labels)


@dataclass(frozen=True, slots=True)
class PodsAcross:
    """Pods of the namespaces that are selected, by their labels."""

    namespaces: LabelMatch
    pods: LabelMatch

    def holds(self, question: Question, direction: Direction) -> bool:
        """Both selectors must match."""
        pod = question.peer(direction).pod
        return pod is not None and self.namespaces.matches(pod.namespace_labels) and self.pods.matches(pod.labels)


@dataclass(frozen=True, slots=True)
class InNetwork:
    """A CIDR block without its exceptions; it holds the addresses of pods too."""

    block: Network
    exceptions: tuple[Network, ...] = ()

    def holds(self, question: Question, direction: Direction) -> bool:
        """An exception takes away from this block alone; another alternative may still match."""
        address = question.peer(direction).address
        if address is None or not self.block.contains(address):
            return False
        return not any(exception.contains(address) for exception in self.exceptions)


@dataclass(frozen=True, slots=True)
class InNetworks:
    """Any of many CIDR blocks."""

    blocks: tuple[Network, ...]

    def holds(self, question: Question, direction: Direction) -> bool:
        """Pods are in them too, by their addresses."""
        address = question.peer(direction).address
        return address is not None and any(block.contains(address) for block in self.blocks)


@dataclass(frozen=True, slots=True)
class OnNodes:
    """Nodes by their labels, at their own addresses."""

    nodes: LabelMatch

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """A pod on the host's network has its node's address, but not its labels here: that cannot be known."""
        endpoint = question.peer(direction).endpoint
        if endpoint is None:
            return False
        if endpoint.kind == "node":
            return self.nodes.matches(endpoint.labels)
        return None if endpoint.host_network else False


@dataclass(frozen=True, slots=True)
class NamedBy:
    """Addresses by the name that the client had resolved to them; ``*`` as a whole label stands for one or more."""

    name: str

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """None where it is not known by which names the address was found; only who dials goes by names."""
        if direction == "ingress":
            return False
        names = question.peer(direction).domains
        return None if names is None else any(self._matches(name.lower().rstrip(".")) for name in names)

    def _matches(self, name: str) -> bool:
        before, wildcard, after = self.name.partition("*")
        if not wildcard:
            return name == self.name
        return name.startswith(before) and name.endswith(after) and len(name) >= len(self.name)


@dataclass(frozen=True, slots=True)
class PortRange:
    """Destination ports of one protocol, both ends included."""

    protocol: str
    first: int = 0
    last: int = 65535

    def holds(self, question: Question, direction: Direction) -> bool:  # noqa: ARG002 - the protocol's signature
        """The same for both directions: it is always the destination's port."""
        return question.protocol == self.protocol and self.first <= question.port <= self.last


@dataclass(frozen=True, slots=True)
class OfProtocol:
    """A protocol, whatever its ports."""

    protocol: str

    def holds(self, question: Question, direction: Direction) -> bool:  # noqa: ARG002 - the protocol's signature
        """The same for both directions."""
        return question.protocol == self.protocol


@dataclass(frozen=True, slots=True)
class OfFamily:
    """IPv4 or IPv6."""

    version: int

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """None where the peer's address is not known."""
        address = question.peer(direction).address
        return None if address is None else address.version == self.version


@dataclass(frozen=True, slots=True)
class NamedPort:
    """The destination pod's port of this name; name, number and protocol must agree."""

    protocol: str
    """Empty where the pod's port says it."""
    name: str

    def holds(self, question: Question, direction: Direction) -> bool:  # noqa: ARG002 - the protocol's signature
        """An address outside the cluster names no ports."""
        pod = question.destination.pod
        if pod is None or self.protocol not in ("", question.protocol):
            return False
        return any(
            port.name == self.name and port.port == question.port and port.protocol == question.protocol
            for port in pod.ports
        )


@dataclass(frozen=True, slots=True)
class Unknown:
    """An alternative that is malformed or not known here."""

    fault: str

    def holds(self, question: Question, direction: Direction) -> None:  # noqa: ARG002 - the protocol's signature
        """Nobody knows."""
        return


def holds_any(conditions: tuple[Condition, ...] | None, question: Question, direction: Direction) -> bool | None:
    """Tell whether one alternative holds; None for ``conditions`` means that nothing is asked."""
    if conditions is None:
        return True
    answer: bool | None = False
    for condition in conditions:
        held = condition.holds(question, direction)
        if held:
            return True
        if held is None:
            answer = None
    return answer
