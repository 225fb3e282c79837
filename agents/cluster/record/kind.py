"""The kinds of objects that are published, and how each is asked for. To add a kind is to add a line."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object of the Kubernetes API."""

    name: str
    group: str
    """Empty for the core group."""
    version: str
    plural: str
    has_spec: bool = False
    """Its whole spec is kept, since the evaluator needs it."""
    is_extension: bool = False
    """Defined by who installs it: a cluster may lack it, and other groups have kinds of the same name."""
    rather: str = ""
    """Group and version that serve the same objects; asked instead of this one where they are there."""

    @property
    def title(self) -> str:
        """Unique among all kinds; the first part of a key."""
        return f"{self.name}.{self.group}" if self.is_extension else self.name

    @property
    def resource(self) -> str:
        """As kubectl names it: ``pods``, ``networkpolicies.projectcalico.org``."""
        return f"{self.plural}.{self.group}" if self.is_extension else self.plural

    @property
    def api_version(self) -> str:
        """As objects state it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """Path of the collection over all namespaces."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/{self.plural}"


_CALICO: Final = "projectcalico.org"
_CALICO_STORED: Final = "crd.projectcalico.org"
"""Where Calico's own API server is not installed, what it would store can be read all the same."""
_CALICO_KINDS: Final = (
    ("Tier", "tiers"),
    ("NetworkSet", "networksets"),
    ("GlobalNetworkSet", "globalnetworksets"),
    ("HostEndpoint", "hostendpoints"),
    ("NetworkPolicy", "networkpolicies"),
    ("GlobalNetworkPolicy", "globalnetworkpolicies"),
    ("StagedNetworkPolicy", "stagednetworkpolicies"),
    ("StagedGlobalNetworkPolicy", "stagedglobalnetworkpolicies"),
    ("StagedKubernetesNetworkPolicy", "stagedkubernetesnetworkpolicies"),
)


def _extension(name: str, group: str, version: str, plural: str, rather: str = "") -> Kind:
    return Kind(name, group, version, plural, has_spec=True, is_extension=True, rather=rather)


KINDS: Final = (
    # Owners before what they own, so that a first listing resolves every chain at once.
    Kind("Namespace", "", "v1", "namespaces"),
    Kind("Node", "", "v1", "nodes"),
    Kind("Deployment", "apps", "v1", "deployments"),
    Kind("StatefulSet", "apps", "v1", "statefulsets"),
    Kind("DaemonSet", "apps", "v1", "daemonsets"),
    Kind("CronJob", "batch", "v1", "cronjobs"),
    Kind("ReplicaSet", "apps", "v1", "replicasets"),
    Kind("Job", "batch", "v1", "jobs"),
    Kind("Pod", "", "v1", "pods"),
    Kind("Service", "", "v1", "services"),
    Kind("ServiceAccount", "", "v1", "serviceaccounts"),
    Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices"),
    Kind("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies", has_spec=True),
    _extension("AdminNetworkPolicy", "policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies"),
    _extension("BaselineAdminNetworkPolicy", "policy.networking.k8s.io", "v1alpha1", "baselineadminnetworkpolicies"),
    _extension("ClusterNetworkPolicy", "policy.networking.k8s.io", "v1alpha2", "clusternetworkpolicies"),
    *(_extension(name, _CALICO, "v3", plural) for name, plural in _CALICO_KINDS),
    *(_extension(name, _CALICO_STORED, "v1", plural, f"{_CALICO}/v3") for name, plural in _CALICO_KINDS),
    _extension("CiliumNetworkPolicy", "cilium.io", "v2", "ciliumnetworkpolicies"),
    _extension("CiliumClusterwideNetworkPolicy", "cilium.io", "v2", "ciliumclusterwidenetworkpolicies"),
    # Not evaluated: that they are there makes verdicts unknown, which is better than wrong.
    _extension("NetworkPolicy", "crd.antrea.io", "v1beta1", "networkpolicies"),
    _extension("ClusterNetworkPolicy", "crd.antrea.io", "v1beta1", "clusternetworkpolicies"),
)
EVENT: Final = Kind("Event", "", "v1", "events")
"""Followed beside the others: it says what happened, and is no state."""
TITLES: Final = frozenset(kind.title for kind in KINDS)
_BY_NAME: Final = {(kind.group, kind.name): kind for kind in KINDS}
_BY_PLURAL: Final = {(kind.group, kind.plural): kind for kind in KINDS}


def kind_of(api_version: str, name: str) -> Kind | None:
    """The kind of an object by what it states; None for one that is not published."""
    group, _, version = api_version.rpartition("/")
    return _BY_NAME.get((group if version else "", name))


def kind_of_resource(group: str, plural: str) -> Kind | None:
    """The kind of a resource by the names that requests use; None for one that is not published."""
    return _BY_PLURAL.get((group, plural))
