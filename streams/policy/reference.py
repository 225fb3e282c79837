"""Parts of policies that are complete only once what they refer to is known."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from streams.policy.combination import leaves
from streams.policy.condition import Condition
from streams.policy.policy import Policy, Selects
from streams.policy.referent import ReferentKind, Referents


class Reference(ABC):
    """Of any kind."""

    __slots__ = ()

    @abstractmethod
    def kinds(self) -> frozenset[ReferentKind]:
        """Tell what it can refer to: changes of anything else change nothing."""

    @abstractmethod
    def lacks(self, referents: Referents) -> Iterable[str]:
        """Name what is referred to and not known, in words."""


class ReferringCondition(Reference):
    """A condition that is replaced."""

    __slots__ = ()

    @abstractmethod
    def resolve(self, referents: Referents) -> Condition:
        """Give what stands in its place."""


class ReferringSubject(Reference):
    """A subject that is replaced."""

    __slots__ = ()

    @abstractmethod
    def resolve(self, referents: Referents) -> Selects:
        """Give what stands in its place."""


def references(policy: Policy) -> Iterator[Reference]:
    """Every part of a policy that refers to something."""
    rules = (*(policy.ingress or ()), *(policy.egress or ()))
    for item in (policy.subject, *leaves(condition for rule in rules for condition in rule.peers or ())):
        if isinstance(item, Reference):
            yield item
