"""Parts of policies that are complete only once what they refer to is known."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from streams.policy.condition import Condition
from streams.policy.policy import Selects
from streams.policy.referent import Referents


class Reference(ABC):
    """Of any kind."""

    __slots__ = ()

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
