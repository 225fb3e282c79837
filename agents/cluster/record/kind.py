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
    is_policy: bool = False
    """Its whole spec is kept, since the evaluator needs it."""

    @property
    def api_version(self) -> str:
        """As objects state it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """Path of the collection over all namespaces."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/{self.plural}"


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
    Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices"),
    Kind("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies", is_policy=True),
)
BY_NAME: Final = {(kind.group, kind.name): kind for kind in KINDS}


def kind_of(api_version: str, name: str) -> Kind | None:
    """The kind of an object by what it states; None for one that is not published."""
    group, _, version = api_version.rpartition("/")
    return BY_NAME.get((group if version else "", name))
