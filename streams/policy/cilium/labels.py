"""Selectors of Cilium: those of Kubernetes, on labels with a source before them and on what Cilium adds.

Source: docs.cilium.io, "Endpoint selector", "Kubernetes", namespaces and service accounts.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from streams.metadata.endpoint import Endpoint
from streams.policy.fault import PolicyFault
from streams.policy.selector import LabelSelector, Requirement, parse_selector

NAMESPACE: Final = "io.kubernetes.pod.namespace"
_ACCOUNT: Final = "io.cilium.k8s.policy.serviceaccount"
_OF_NAMESPACE: Final = "io.cilium.k8s.namespace.labels."
_UNKNOWN: Final = ("reserved:", "cidr:", "fqdn:", "container:", "node:", "cidrgroup:")
_CLUSTER: Final = "io.cilium.k8s.policy.cluster"


class CiliumLabels(Mapping[str, str]):
    """Of a pod, as Cilium sees them."""

    __slots__ = ("_pod",)

    def __init__(self, pod: Endpoint) -> None:
        self._pod = pod

    def __getitem__(self, key: str) -> str:
        if key == NAMESPACE:
            return self._pod.namespace
        if key == _ACCOUNT:
            return self._pod.service_account
        if key.startswith(_OF_NAMESPACE):
            return self._pod.namespace_labels[key.removeprefix(_OF_NAMESPACE)]
        return self._pod.labels[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pod.labels)

    def __len__(self) -> int:
        return len(self._pod.labels)


def parse_endpoints(raw: object, where: str) -> LabelSelector:
    """Read a selector of endpoints. Raise PolicyFault where it asks for what a pod's labels do not say."""
    selector = parse_selector(raw, where)
    return LabelSelector(
        tuple(Requirement(_bare(item.key, where), item.operator, item.values) for item in selector.requirements)
    )


def asks_namespace(selector: LabelSelector) -> bool:
    """Tell whether it selects namespaces itself, so that the policy's own no longer counts."""
    return any(item.key == NAMESPACE or item.key.startswith(_OF_NAMESPACE) for item in selector.requirements)


def _bare(key: str, where: str) -> str:
    bare = key.removeprefix("k8s:").removeprefix("any:")
    if bare == _CLUSTER or bare.startswith(_UNKNOWN):
        raise PolicyFault(f"{where}: not known here: label {key}")
    return bare
