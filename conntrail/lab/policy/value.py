"""The lab's form of a policy, whatever kind it was written as: what nftables can be told. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Action = Literal["allow", "deny", "pass", "log"]
DIRECTIONS: Final = ("egress", "ingress")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses and networks, of both families."""

    members: frozenset[str]
    is_negated: bool = False
    """All others are meant."""


@dataclass(frozen=True, slots=True)
class Match:
    """One way to meet a rule: all of it must hold. What is empty asks nothing."""

    source: tuple[Addresses, ...] = ()
    destination: tuple[Addresses, ...] = ()
    protocol: str = ""
    """As nftables names it, or its number."""
    ports: tuple[str, ...] = ()
    """Of the destination: numbers, and ranges such as 80-90."""
    not_ports: tuple[str, ...] = ()
    not_protocol: str = ""
    version: int = 0
    """4 or 6."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a packet that one of the matches meets."""

    place: str
    """As in the manifest: ingress[0]."""
    action: Action
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Tier:
    """Policies that are asked one after the other. Tiers ascend by order, then name."""

    order: float
    name: str
    denies_at_end: bool
    """Whom a policy of the tier selects while no rule speaks of its packet, loses the packet."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One that is enforced."""

    title: str
    tier: Tier
    order: float
    tie: str
    """Policies of a tier ascend by order, then by this."""
    subjects: frozenset[str]
    """Network namespaces of the pods that it selects."""
    rules: Mapping[str, tuple[Rule, ...]]
    """By direction; one that is missing is none of its business."""
    does_reset: bool
    """What it denies of TCP is answered."""
