"""Services in rules of Calico: the addresses behind one and, for a destination, the ports that these serve."""

from collections.abc import Iterable
from dataclasses import dataclass

from streams.policy.combination import AllOf, AnyOf
from streams.policy.condition import Condition, InNetworks, PortRange, Unknown
from streams.policy.question import Direction, Question
from streams.policy.reference import ReferringCondition
from streams.policy.referent import ReferentKind, Referents


@dataclass(frozen=True, slots=True)
class BehindService(ReferringCondition):
    """Found once the addresses behind the Services are known."""

    namespace: str
    name: str
    is_destination: bool

    def holds(self, question: Question, direction: Direction) -> None:  # noqa: ARG002 - the protocol's signature
        """Not known by itself."""
        return

    @property
    def _lack(self) -> str:
        return f"the addresses behind Service {self.namespace}/{self.name} are not known"

    def kinds(self) -> frozenset[ReferentKind]:
        """Services alone."""
        return frozenset({"service"})

    def lacks(self, referents: Referents) -> Iterable[str]:
        """Name the Service if nothing is known of it."""
        return () if (self.namespace, self.name) in referents.services else (self._lack,)

    def resolve(self, referents: Referents) -> Condition:
        """Put the addresses in; a Service of which nothing is known may have any."""
        found = referents.services.get((self.namespace, self.name))
        if found is None:
            return Unknown(self._lack)
        return AnyOf(
            tuple(
                AllOf((InNetworks(part.networks), AnyOf(tuple(_port(*port) for port in part.ports))))
                if self.is_destination
                else InNetworks(part.networks)
                for part in found
            )
        )


def _port(protocol: str, number: int) -> PortRange:
    return PortRange(protocol, number, number) if number else PortRange(protocol)
