"""The DNS queries that a rule of Cilium lets through its ports; its proxy refuses all others.

Asked about a connection alone, such a rule is met: the proxy takes the connection and judges what is asked on it.
Source: docs.cilium.io, "Layer 7 policies", "DNS Policy and IP Discovery".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.policy.cilium.name import NamePattern, parse_name
from streams.policy.fault import PolicyFault
from streams.policy.field import as_mapping
from streams.policy.question import Direction, Question


@dataclass(frozen=True, slots=True)
class OfQueries:
    """One of several names."""

    names: tuple[NamePattern, ...]

    def holds(self, question: Question, direction: Direction) -> bool:  # noqa: ARG002 - the protocol's signature
        """What is no query of DNS does not get through a proxy of DNS."""
        if question.dns is None:
            return question.http is None
        name = question.dns
        return any(pattern.matches(name) for pattern in self.names)


def parse_queries(items: Sequence[object], ports: Sequence[object], direction: Direction, where: str) -> OfQueries:
    """Read a list that is not empty, and look at the ports beside it. Raise PolicyFault where Cilium refuses them."""
    if direction == "ingress":
        raise PolicyFault(f"{where}: not known here: rules of DNS for ingress")
    if not ports or any(_is_many(as_mapping(port, where)) for port in ports):
        raise PolicyFault(f"{where}: needs ports, each a single one")
    return OfQueries(tuple(parse_name(item, f"{where}[{index}]") for index, item in enumerate(items)))


def _is_many(port: Mapping[str, object]) -> bool:
    first, last = port.get("port"), port.get("endPort")
    return first in (None, "", "0") or (bool(last) and str(last) != first)
