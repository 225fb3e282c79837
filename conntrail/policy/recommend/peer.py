"""Whom a rule lets in or out, before any kind of policy has words for it."""

from dataclasses import dataclass
from ipaddress import ip_address

from conntrail.policy.recommend.selection import Selection


@dataclass(frozen=True, slots=True, order=True)
class PodPeer:
    """Pods of a group."""

    namespace: str
    selection: Selection


@dataclass(frozen=True, slots=True, order=True)
class EveryPod:
    """All pods of the cluster."""


@dataclass(frozen=True, slots=True, order=True)
class NodePeer:
    """A node, and whatever runs on its network."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class OutsidePeer:
    """An address outside the cluster."""

    address: str


@dataclass(frozen=True, slots=True, order=True)
class NamedPeer:
    """Addresses outside the cluster by the names that were resolved to them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class BlockPeer:
    """A CIDR block without exceptions to it."""

    cidr: str
    exceptions: tuple[str, ...] = ()


Peer = PodPeer | EveryPod | NodePeer | OutsidePeer | NamedPeer
"""As it was seen."""
RulePeer = PodPeer | EveryPod | NodePeer | NamedPeer | BlockPeer
"""As a rule says it."""


def rank(peer: RulePeer) -> tuple[str, str]:
    """An order that does not depend on who was seen first."""
    return type(peer).__name__, repr(peer)


def host_block(address: str) -> str:
    """The block of one address."""
    parsed = ip_address(address)
    return f"{parsed}/{parsed.max_prefixlen}"
