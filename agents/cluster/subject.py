"""Whom a policy is about: the pods that it selects, as far as labels tell.

Pods on their node's network are the node to policies. Selectors of Calico are a language of its own, which is read
where policies are judged (streams/policy/calico): by them nobody is selected here, unless they select all. Nor is
anybody by what asks of Cilium's labels for more than a pod says of itself.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from agents.cluster.cilium import asked_of_pods, labels_of
from agents.cluster.inventory import Inventory
from agents.cluster.record.selector import selects
from agents.cluster.record.slim import Record, key_of
from agents.cluster.record.value import mapping

Spec = Mapping[str, Any]
Labels = Mapping[str, str]
Chooses = Callable[[Record, Labels], bool]
"""From a pod and the labels of its namespace."""
_CALICO_SELECTORS: Final = ("selector", "namespaceSelector", "serviceAccountSelector")
_ALL: Final = ("", "all()")


def pods_selected(inventory: Inventory, title: str, record: Record) -> Iterator[Record]:
    """Pods that a policy is about now. ``title``: of its kind; of a kind that is none there are none."""
    read, spec = _SUBJECTS.get(title), _spec_of(record)
    chooses = None if read is None or spec is None else read(spec)
    if chooses is None:
        return
    for pod in inventory.pods(record["namespace"] or None):
        if not pod["host_network"] and chooses(pod, _namespace_labels(inventory, pod)):
            yield pod


def _spec_of(record: Record) -> Spec | None:
    try:
        spec = json.loads(record["spec_json"] or "null")
    except (ValueError, RecursionError):
        return None
    return spec if isinstance(spec, Mapping) else None


def _namespace_labels(inventory: Inventory, pod: Record) -> Labels:
    record = inventory.record(key_of("Namespace", "", pod["namespace"]))
    labels: Labels = {} if record is None else record["labels"]
    return labels


def _pod_selector(spec: Spec) -> Chooses:
    selector = mapping(spec, "podSelector")
    return lambda pod, _: selects(selector, pod["labels"])


def _admin_subject(spec: Spec) -> Chooses | None:
    subject = mapping(spec, "subject")
    if "pods" in subject:
        namespaces, pods = mapping(subject, "pods", "namespaceSelector"), mapping(subject, "pods", "podSelector")
    elif "namespaces" in subject:
        namespaces, pods = mapping(subject, "namespaces"), {}
    else:
        return None
    return lambda pod, labels: selects(namespaces, labels) and selects(pods, pod["labels"])


def _endpoint_selector(spec: Spec) -> Chooses | None:
    asked = spec.get("endpointSelector")
    selector = asked_of_pods(asked) if isinstance(asked, Mapping) else None
    return None if selector is None else lambda pod, labels: selects(selector, labels_of(pod, labels))


def _expressions(spec: Spec) -> Chooses | None:
    is_all = all((spec.get(name) or "") in _ALL for name in _CALICO_SELECTORS)
    return (lambda _pod, _labels: True) if is_all else None


_CALICO: Final[Mapping[str, Callable[[Spec], Chooses | None]]] = {
    "NetworkPolicy": _expressions,
    "GlobalNetworkPolicy": _expressions,
    "StagedNetworkPolicy": _expressions,
    "StagedGlobalNetworkPolicy": _expressions,
    "StagedKubernetesNetworkPolicy": _pod_selector,
}
_SUBJECTS: Final[Mapping[str, Callable[[Spec], Chooses | None]]] = {
    "NetworkPolicy": _pod_selector,
    "AdminNetworkPolicy.policy.networking.k8s.io": _admin_subject,
    "BaselineAdminNetworkPolicy.policy.networking.k8s.io": _admin_subject,
    "ClusterNetworkPolicy.policy.networking.k8s.io": _admin_subject,
    "CiliumNetworkPolicy.cilium.io": _endpoint_selector,
    "CiliumClusterwideNetworkPolicy.cilium.io": _endpoint_selector,
    **{f"{kind}.projectcalico.org": how for kind, how in _CALICO.items()},
    **{f"{kind}.crd.projectcalico.org": how for kind, how in _CALICO.items()},
}
