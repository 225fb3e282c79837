"""Services in rules of Calico: the addresses behind one and, for a destination, the ports that these serve."""

from dataclasses import dataclass

from streams.policy.combination import AllOf, AnyOf
from streams.policy.condition import Condition, InNetworks, PortRange, Unknown
from streams.policy.question import Direction, Question
from streams.policy.referent import Referents


@dataclass(frozen=True, slots=True)
class BehindService:
    """Found once the addresses behind the Services are known."""

    namespace: str
    name: str
    is_destination: bool

    def holds(self, question: Question, direction: Direction) -> None:  # noqa: ARG002 - the protocol's signature
        """Not known by itself."""
        return

    def resolve(self, referents: Referents) -> Condition:
        """Put the addresses in; a Service of which nothing is known may have any."""
        found = referents.services.get((self.namespace, self.name))
        if found is None:
            return Unknown(f"Service {self.namespace}/{self.name}: its addresses are not known")
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
