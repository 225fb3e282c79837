"""What rules of Cilium ask of the far end.

In Cilium an address is an identity: networks and names are outside the cluster, pods and nodes never in them
(docs.cilium.io, "Layer 3 policies", CIDR based).
"""

from dataclasses import dataclass
from typing import Literal

from streams.policy.cilium.labels import CiliumLabels
from streams.policy.cilium.name import NamePattern
from streams.policy.question import Direction, Question
from streams.policy.selector import LabelSelector


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Pods by their labels."""

    namespace: str | None
    """None for all."""
    pods: LabelSelector

    def holds(self, question: Question, direction: Direction) -> bool:
        """Pods on the host's network are the host."""
        pod = question.peer(direction).pod
        if pod is None or self.namespace not in (None, pod.namespace):
            return False
        return self.pods.matches(CiliumLabels(pod))


@dataclass(frozen=True, slots=True)
class Outside:
    """Whatever is no part of the cluster."""

    def holds(self, question: Question, direction: Direction) -> bool:
        """An end without an endpoint."""
        return question.peer(direction).endpoint is None


@dataclass(frozen=True, slots=True)
class Inside:
    """Pods and nodes of the cluster."""

    def holds(self, question: Question, direction: Direction) -> bool:
        """An end with an endpoint."""
        return question.peer(direction).endpoint is not None


@dataclass(frozen=True, slots=True)
class Host:
    """The node of the policy's own end, or any other, with all that is on its network."""

    which: Literal["own", "other"]

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """None where it is not known who runs where."""
        peer = question.peer(direction)
        if peer.endpoint is None or peer.pod is not None:
            return False
        own = question.peer("ingress" if direction == "egress" else "egress")
        if not (peer.node_name and own.node_name):
            return None
        return (peer.node_name == own.node_name) == (self.which == "own")


@dataclass(frozen=True, slots=True)
class NamedLike:
    """Addresses outside by the names that the client had resolved to them."""

    pattern: NamePattern

    def holds(self, question: Question, direction: Direction) -> bool | None:
        """None where it is not known by which names the address was found."""
        peer = question.peer(direction)
        if direction == "ingress" or peer.endpoint is not None:
            return False
        return None if peer.domains is None else any(map(self.pattern.matches, peer.domains))
