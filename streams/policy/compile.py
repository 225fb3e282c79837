"""From objects to policies: which kinds are policies at all, and who compiles which."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from streams.policy.admin_policy import compile_admin_policy
from streams.policy.calico.network_set import compile_host_endpoint, compile_network_set
from streams.policy.calico.policy import compile_calico_policy, compile_staged_kubernetes_policy
from streams.policy.calico.tier import compile_tier
from streams.policy.cilium.policy import compile_cilium_policy
from streams.policy.endpoint_slice import compile_endpoint_slice
from streams.policy.network_policy import compile_network_policy
from streams.policy.object import PolicyObject
from streams.policy.policy import Policy, Subject
from streams.policy.referent import Labelled, Referent, ReferentKind
from streams.policy.selector import EVERYTHING
from streams.policy.tier import Tier

STAGED_ANNOTATION = "conntrail.io/staged"
_UNKNOWN_KIND = Tier(name="", order=0.0, combine="first", default="none")
_Compiler = Callable[[PolicyObject], Policy]
_CALICO: Mapping[str, _Compiler] = {
    "NetworkPolicy": compile_calico_policy,
    "GlobalNetworkPolicy": compile_calico_policy,
    "StagedNetworkPolicy": compile_calico_policy,
    "StagedGlobalNetworkPolicy": compile_calico_policy,
    "StagedKubernetesNetworkPolicy": compile_staged_kubernetes_policy,
}
_CALICO_REFERENTS: Mapping[str, Callable[[PolicyObject], Referent]] = {
    "Tier": compile_tier,
    "NetworkSet": compile_network_set,
    "GlobalNetworkSet": compile_network_set,
    "HostEndpoint": compile_host_endpoint,
}
_CALICO_VERSIONS = ("projectcalico.org/v3", "crd.projectcalico.org/v1")
POLICY_KINDS: Mapping[str, frozenset[str]] = {
    "networking.k8s.io": frozenset({"NetworkPolicy"}),
    "policy.networking.k8s.io": frozenset({"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"}),
    "projectcalico.org": frozenset(_CALICO),
    "crd.projectcalico.org": frozenset(_CALICO),
    "cilium.io": frozenset({"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"}),
    "crd.antrea.io": frozenset({"NetworkPolicy", "ClusterNetworkPolicy"}),
}
"""API group to the kinds that can allow or deny; an object of any other kind is no policy."""

_COMPILERS: Mapping[tuple[str, str], _Compiler] = {
    ("networking.k8s.io/v1", "NetworkPolicy"): compile_network_policy,
    ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"): compile_admin_policy,
    ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"): compile_admin_policy,
    ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"): compile_admin_policy,
    ("cilium.io/v2", "CiliumNetworkPolicy"): compile_cilium_policy,
    ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"): compile_cilium_policy,
    **{(version, kind): compiler for version in _CALICO_VERSIONS for kind, compiler in _CALICO.items()},
}


def _compile_labelled(source: PolicyObject) -> Referent:
    kind: ReferentKind = "namespace" if source.kind == "Namespace" else "service_account"
    return Labelled(kind, source.namespace, source.name, source.labels)


_REFERENTS: Mapping[tuple[str, str], Callable[[PolicyObject], Referent]] = {
    ("v1", "Namespace"): _compile_labelled,
    ("v1", "ServiceAccount"): _compile_labelled,
    ("discovery.k8s.io/v1", "EndpointSlice"): compile_endpoint_slice,
    **{(version, kind): compiler for version in _CALICO_VERSIONS for kind, compiler in _CALICO_REFERENTS.items()},
}


def is_policy(api_version: str, kind: str) -> bool:
    """Tell whether an object of this kind can allow or deny traffic."""
    group = api_version.partition("/")[0] if "/" in api_version else ""
    return kind in POLICY_KINDS.get(group, frozenset())


def is_referent(api_version: str, kind: str) -> bool:
    """Tell whether policies may refer to an object of this kind."""
    return (api_version, kind) in _REFERENTS


def compile_object(source: PolicyObject) -> Policy | Referent:
    """Compile a policy, or what policies refer to; never raises."""
    compiler = _REFERENTS.get((source.api_version, source.kind))
    return compile_policy(source) if compiler is None else compiler(source)


def compile_policy(source: PolicyObject) -> Policy:
    """Compile one policy; never raises: what is wrong or not known is in the policy's faults."""
    compiler = _COMPILERS.get((source.api_version, source.kind))
    policy = _opaque(source) if compiler is None else compiler(source)
    return replace(policy, is_staged=True) if source.annotations.get(STAGED_ANNOTATION) == "true" else policy


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
