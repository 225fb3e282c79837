"""Kinds of policies, and of what policies refer to: those that the lab enforces, and those that it refuses."""

from typing import Final

CALICO: Final = "projectcalico.org"
CALICO_NETWORK_POLICY: Final = f"NetworkPolicy.{CALICO}"
ADMIN_KINDS: Final = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
CALICO_KINDS: Final = (CALICO_NETWORK_POLICY, "GlobalNetworkPolicy")
STAGED_KINDS: Final = ("StagedNetworkPolicy", "StagedGlobalNetworkPolicy", "StagedKubernetesNetworkPolicy")
"""Tried out by Calico, and not enforced."""
REFERENT_KINDS: Final = ("Tier", "NetworkSet", "GlobalNetworkSet")
POLICY_KINDS: Final = (*REFERENT_KINDS, "NetworkPolicy", *ADMIN_KINDS, *CALICO_KINDS, *STAGED_KINDS)
"""All that may change while the lab runs; each stands behind what it may refer to."""
CLUSTER_WIDE: Final = frozenset(
    {*ADMIN_KINDS, "GlobalNetworkPolicy", "StagedGlobalNetworkPolicy", "Tier", "GlobalNetworkSet"}
)
VERSIONS: Final = {
    "AdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "BaselineAdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "ClusterNetworkPolicy": "policy.networking.k8s.io/v1alpha2",
    **dict.fromkeys((*CALICO_KINDS, *STAGED_KINDS, *REFERENT_KINDS), f"{CALICO}/v3"),
}
"""The only version of each kind that the lab reads; other versions of a kind have other fields."""
REFUSED: Final = frozenset(
    {
        ("cilium.io", "CiliumNetworkPolicy"),
        ("cilium.io", "CiliumClusterwideNetworkPolicy"),
        ("crd.antrea.io", "NetworkPolicy"),
        ("crd.antrea.io", "ClusterNetworkPolicy"),
        ("crd.projectcalico.org", "NetworkPolicy"),
        ("crd.projectcalico.org", "GlobalNetworkPolicy"),
        (CALICO, "HostEndpoint"),
    }
)
"""Kinds by group that would allow or deny if the lab enforced them: leaving them out would be another cluster."""


def resource_of(kind: str) -> str:
    """The kind as requests name it: of these kinds a plural of English, in small letters."""
    name = kind.lower()
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def qualified_kind(api_version: str, kind: str) -> str:
    """The kind, with its group where another group has a kind of this name."""
    is_calico = (api_version.partition("/")[0], kind) == (CALICO, "NetworkPolicy")
    return CALICO_NETWORK_POLICY if is_calico else kind
