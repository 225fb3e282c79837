"""Selectors of Cilium: those of Kubernetes, on labels with a source before them and on what Cilium adds.

Source: docs.cilium.io, "Endpoint selector", "Kubernetes", namespaces and service accounts.
"""

from collections.abc import Mapping
from typing import Any, Final

from agents.cluster.record.slim import Record
from agents.cluster.record.value import items, labels, text

_NAMESPACE: Final = "io.kubernetes.pod.namespace"
_ACCOUNT: Final = "io.cilium.k8s.policy.serviceaccount"
_OF_NAMESPACE: Final = "io.cilium.k8s.namespace.labels."
_CLUSTER: Final = "io.cilium.k8s.policy.cluster"
_OTHER_SOURCES: Final = ("reserved:", "cidr:", "fqdn:", "container:", "node:", "cidrgroup:")


def labels_of(pod: Record, namespace: Mapping[str, str]) -> Mapping[str, str]:
    """A pod's labels as Cilium sees them; ``namespace``: those of its namespace."""
    inherited = {f"{_OF_NAMESPACE}{key}": value for key, value in namespace.items()}
    return {**pod["labels"], **inherited, _NAMESPACE: pod["namespace"], _ACCOUNT: pod["service_account"]}


def asked_of_pods(selector: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A selector of Kubernetes on such labels; None where it asks for what a pod does not say of itself."""
    named = labels(selector, "matchLabels").items()
    asked = [{"key": key, "operator": "In", "values": [value]} for key, value in named]
    expressions = [{**one, "key": _bare(text(one, "key"))} for one in (*asked, *items(selector, "matchExpressions"))]
    if any(one["key"] == _CLUSTER or one["key"].startswith(_OTHER_SOURCES) for one in expressions):
        return None
    return {"matchExpressions": expressions}


def _bare(key: str) -> str:
    return key.removeprefix("k8s:").removeprefix("any:")
