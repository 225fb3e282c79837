"""The rights that the cluster agent lives on, by RBAC of Kubernetes, and what each is for. No others are needed.

This is the one list: the chart's roles grant it, tests run the agent with exactly these, and ``conntrail doctor`` asks
for each. Kinds that a cluster does not have may be granted all the same: a right to what is not there hurts nobody.
"""

from dataclasses import dataclass
from typing import Final

from agents.cluster.record.kind import EVENT, KINDS, Kind

_FOLLOWED: Final = ("list", "watch")
_LEASE_VERBS: Final = ("get", "create", "update")
_LEASES: Final = ("coordination.k8s.io", "leases")
_CALICO: Final = "projectcalico.org"
_TIERED: Final = (
    "networkpolicies",
    "globalnetworkpolicies",
    "stagednetworkpolicies",
    "stagedglobalnetworkpolicies",
)
_NAMED: Final = "names of pods, workloads and services"
_LOST: Final = {
    "namespaces": "labels of namespaces, by which policies select; without it the agent does not start",
    "nodes": "names and addresses of nodes",
    "pods": _NAMED,
    "services": "which Service was dialled",
    "endpointslices": "which Service an address is behind",
    "serviceaccounts": "policies that select by service account",
    "events": "Kubernetes events beside flows and in the causes of alerts",
}


@dataclass(frozen=True, slots=True)
class Right:
    """Verbs on one kind of resource."""

    group: str
    """Empty for the core group."""
    resource: str
    verbs: tuple[str, ...]
    lost: str
    """What is not known, or does not work, without it."""
    namespace: str = ""
    """The only one that it is needed in; empty: all of the cluster."""
    name: str = ""
    """The only object that it is needed for, but to create it, which RBAC grants for no name; empty: all."""
    api_version: str = ""
    """Where a cluster may not have the resource: the group's version that would serve it."""
    served_as: str = ""
    """The resource that shows that the cluster has it; empty: itself."""
    rather: str = ""
    """Group and version by which the agent follows the same objects where they are there; then this is not needed."""

    @property
    def title(self) -> str:
        """As kubectl names it: ``pods``, ``leases.coordination.k8s.io``."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


def rights_of(
    lease: tuple[str, str] | None = ("conntrail", ""), *, has_events: bool = True, makes_events: bool = False
) -> list[Right]:
    """As the settings of the cluster agent ask: namespace and name of its lease (None: it takes none; no name: any),
    whether it follows events (CONNTRAIL_CLUSTER_AGENT__EVENTS) and makes them (__ALERT_EVENTS).
    """
    rights = [*(_followed(kind) for kind in KINDS), *_tiers()]
    if has_events:
        rights.append(_followed(EVENT))
    if makes_events:
        rights.append(Right("", "events", ("create",), "alerts as Kubernetes Events"))
    if lease is not None:
        lost = "the lease by which one of several replicas publishes; without it the agent does not start"
        rights.append(Right(*_LEASES, _LEASE_VERBS, lost, *lease))
    return rights


def _tiers() -> list[Right]:
    """Asked for by Calico's own API server when policies are listed."""
    lost, version = "policies of Calico, where its own API server serves them", f"{_CALICO}/v3"
    return [
        Right(_CALICO, "tiers", ("get",), lost, api_version=version),
        *(
            Right(_CALICO, f"tier.{plural}", _FOLLOWED, lost, api_version=version, served_as=plural)
            for plural in _TIERED
        ),
    ]


def _followed(kind: Kind) -> Right:
    version = kind.api_version if kind.is_extension else ""
    return Right(kind.group, kind.plural, _FOLLOWED, _lost(kind), api_version=version, rather=kind.rather)


def _lost(kind: Kind) -> str:
    if kind.has_spec:
        return f"what {kind.title} says: verdicts are not judged by it"
    return _LOST.get(kind.plural, f"names of workloads that are a {kind.name}, and changes of them")
