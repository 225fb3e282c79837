"""What policies refer to by name or label without its being a policy: tiers, sets of networks, accounts, namespaces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from streams.policy.network import Network
from streams.policy.tier import Tier

ReferentKind = Literal["tier", "network_set", "service_account", "namespace", "service"]


@dataclass(frozen=True, slots=True)
class TierReferent:
    """A tier of policies as an object of its own."""

    tier: Tier | None
    """None where the object makes no sense: its policies are unknown."""
    name: str
    kind: ReferentKind = "tier"


@dataclass(frozen=True, slots=True)
class NetworkSet:
    """Networks, or names of hosts outside, with labels that selectors find them by."""

    namespace: str
    """Empty for a set of the whole cluster."""
    name: str
    labels: Mapping[str, str]
    networks: tuple[Network, ...]
    domains: tuple[str, ...] = ()
    is_doubtful: bool = False
    """Some of it could not be understood, so that it may hold other addresses too."""
    kind: ReferentKind = "network_set"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A namespace or a service account, for its labels."""

    kind: ReferentKind
    namespace: str
    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ServiceEndpoints:
    """A part of the addresses and ports behind a Service."""

    namespace: str
    service: str
    networks: tuple[Network, ...]
    """One address each."""
    ports: tuple[tuple[str, int], ...]
    """Protocol and number; what the addresses serve."""
    kind: ReferentKind = "service"


Referent = TierReferent | NetworkSet | Labelled | ServiceEndpoints


@dataclass(frozen=True, slots=True)
class Referents:
    """All that policies of one instant may refer to. Build it by ``gather``."""

    tiers: Mapping[str, Tier | None] = field(default_factory=dict)
    network_sets: tuple[NetworkSet, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels by name."""
    accounts: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    """Labels by namespace and name."""
    services: Mapping[tuple[str, str], tuple[ServiceEndpoints, ...]] = field(default_factory=dict)


def gather(referents: Iterable[Referent]) -> Referents:
    """Sort them by what they are."""
    tiers: dict[str, Tier | None] = {}
    network_sets: list[NetworkSet] = []
    namespaces: dict[str, Mapping[str, str]] = {}
    accounts: dict[tuple[str, str], Mapping[str, str]] = {}
    services: dict[tuple[str, str], tuple[ServiceEndpoints, ...]] = {}
    for item in referents:
        match item:
            case TierReferent():
                tiers[item.name] = item.tier
            case NetworkSet():
                network_sets.append(item)
            case ServiceEndpoints():
                key = (item.namespace, item.service)
                services[key] = (*services.get(key, ()), item)
            case Labelled(kind="namespace"):
                namespaces[item.name] = item.labels
            case Labelled():
                accounts[item.namespace, item.name] = item.labels
    network_sets.sort(key=lambda item: (item.namespace, item.name))
    return Referents(tiers, tuple(network_sets), namespaces, accounts, services)
