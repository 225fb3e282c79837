"""Labels that a workload gives its pods, without those that controllers add to each of them."""

from collections.abc import Mapping
from typing import Final

GENERATED: Final = frozenset(
    {
        "pod-template-hash",
        "pod-template-generation",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
    }
)
"""Kubernetes documentation, Well-Known Labels, Annotations and Taints. They change with each rollout."""


def given_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Sorted by key; what a selector that outlives a rollout may ask for."""
    return {key: value for key, value in sorted(labels.items()) if key not in GENERATED}
