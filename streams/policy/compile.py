"""From objects to policies: which kinds are policies at all, and who compiles which."""

from collections.abc import Callable, Mapping

from streams.policy.admin_policy import compile_admin_policy
from streams.policy.network_policy import compile_network_policy
from streams.policy.object import PolicyObject
from streams.policy.policy import Policy, Subject, Tier
from streams.policy.selector import EVERYTHING

_UNKNOWN_KIND = Tier(name="", order=0.0, combine="first", default="pass")
_CALICO = frozenset(
    {
        "NetworkPolicy",
        "GlobalNetworkPolicy",
        "StagedNetworkPolicy",
        "StagedGlobalNetworkPolicy",
        "StagedKubernetesNetworkPolicy",
    }
)
POLICY_KINDS: Mapping[str, frozenset[str]] = {
    "networking.k8s.io": frozenset({"NetworkPolicy"}),
    "policy.networking.k8s.io": frozenset({"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"}),
    "projectcalico.org": _CALICO,
    "crd.projectcalico.org": _CALICO,
    "cilium.io": frozenset({"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"}),
    "crd.antrea.io": frozenset({"NetworkPolicy", "ClusterNetworkPolicy"}),
}
"""API group to the kinds that can allow or deny; an object of any other kind is no policy."""

_COMPILERS: Mapping[tuple[str, str], Callable[[PolicyObject], Policy]] = {
    ("networking.k8s.io/v1", "NetworkPolicy"): compile_network_policy,
    ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"): compile_admin_policy,
    ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"): compile_admin_policy,
    ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"): compile_admin_policy,
}


def is_policy(api_version: str, kind: str) -> bool:
    """Tell whether an object of this kind can allow or deny traffic."""
    group = api_version.partition("/")[0] if "/" in api_version else ""
    return kind in POLICY_KINDS.get(group, frozenset())


def compile_policy(source: PolicyObject) -> Policy:
    """Compile one object; never raises: what is wrong or not known is in the policy's faults."""
    compiler = _COMPILERS.get((source.api_version, source.kind))
    return _opaque(source) if compiler is None else compiler(source)


def _opaque(source: PolicyObject) -> Policy:
    """A kind that is not evaluated: it may allow or deny whatever it can reach."""
    return Policy(
        kind=source.kind,
        namespace=source.namespace,
        name=source.name,
        uid=source.uid,
        tier=_UNKNOWN_KIND,
        subject=Subject(source.namespace or None, EVERYTHING, EVERYTHING, is_doubtful=True),
        ingress=(),
        egress=(),
        is_staged=source.kind.startswith("Staged"),
        is_opaque=True,
        faults=(f"{source.kind} of {source.api_version} is not evaluated: its verdicts are unknown",),
    )
