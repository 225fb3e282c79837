"""Which kinds the lab knows, by group and name, and the form of each."""

from typing import Any, Final

from conntrail.errors import CommandError
from conntrail.lab.kind import CALICO, VERSIONS, qualified_kind
from conntrail.lab.manifest.admin import AdminSpec, BaselineSpec, ClusterSpec
from conntrail.lab.manifest.calico import (
    CalicoPolicySpec,
    GlobalPolicySpec,
    NetworkSetSpec,
    StagedGlobalPolicySpec,
    StagedKubernetesSpec,
    StagedPolicySpec,
    TierSpec,
)
from conntrail.lab.manifest.schema import (
    CronJobSpec,
    JobSpec,
    PodSpec,
    PolicySpec,
    ReplicationControllerSpec,
    ServiceSpec,
    WorkloadSpec,
)

_ADMIN: Final = "policy.networking.k8s.io"
SPECS: Final[dict[tuple[str, str], Any]] = {
    ("", "Namespace"): None,
    ("", "Node"): None,
    ("", "Pod"): PodSpec,
    ("", "Service"): ServiceSpec,
    ("", "ReplicationController"): ReplicationControllerSpec,
    ("apps", "Deployment"): WorkloadSpec,
    ("apps", "ReplicaSet"): WorkloadSpec,
    ("apps", "StatefulSet"): WorkloadSpec,
    ("apps", "DaemonSet"): WorkloadSpec,
    ("batch", "Job"): JobSpec,
    ("batch", "CronJob"): CronJobSpec,
    ("networking.k8s.io", "NetworkPolicy"): PolicySpec,
    (_ADMIN, "AdminNetworkPolicy"): AdminSpec,
    (_ADMIN, "BaselineAdminNetworkPolicy"): BaselineSpec,
    (_ADMIN, "ClusterNetworkPolicy"): ClusterSpec,
    (CALICO, "NetworkPolicy"): CalicoPolicySpec,
    (CALICO, "GlobalNetworkPolicy"): GlobalPolicySpec,
    (CALICO, "StagedNetworkPolicy"): StagedPolicySpec,
    (CALICO, "StagedGlobalNetworkPolicy"): StagedGlobalPolicySpec,
    (CALICO, "StagedKubernetesNetworkPolicy"): StagedKubernetesSpec,
    (CALICO, "Tier"): TierSpec,
    (CALICO, "NetworkSet"): NetworkSetSpec,
    (CALICO, "GlobalNetworkSet"): NetworkSetSpec,
}
"""None: the lab reads their metadata alone."""


def check_version(place: str, api_version: str, kind: str) -> None:
    """Raises CommandError for a version of a policy's kind with other fields than the lab reads."""
    wanted = VERSIONS.get(qualified_kind(api_version, kind), api_version)
    if api_version != wanted:
        raise CommandError(f"{place}: apiVersion: the lab reads {wanted}, not {api_version}")
