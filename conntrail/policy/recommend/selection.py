"""Which labels tell the pods of a workload from all others in their namespace, and outlive its next rollout.

Few and lasting labels are chosen: a selector that asks for a version stops to hold with the next one, and then what
it allowed is denied. More are asked for only where they tell workloads apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conntrail.policy.words.label import given_labels

Labels = Mapping[str, str]
_NAMING: Final[tuple[str, ...]] = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app",
    "k8s-app",
    "component",
    "role",
    "tier",
    "name",
)
"""Labels that say what a pod is (Kubernetes documentation, Recommended Labels; the older ones by custom)."""
_PASSING: Final[tuple[str, ...]] = ("app.kubernetes.io/version", "helm.sh/chart", "version")
"""Labels that change with releases: the last resort."""


@dataclass(frozen=True, slots=True, order=True)
class Selection:
    """Pods of one namespace with all of ``labels`` and none of the keys ``lacks``; without either all of them."""

    labels: tuple[tuple[str, str], ...] = ()
    lacks: tuple[str, ...] = ()

    def selects(self, labels: Labels) -> bool:
        """Tell whether a pod with these labels is one of them."""
        return all(labels.get(key) == value for key, value in self.labels) and not set(self.lacks) & labels.keys()


def select(own: Sequence[Labels], others: Sequence[Labels]) -> Selection:
    """Every one of ``own``, at least one, and as few of ``others`` as their labels allow."""
    given = [given_labels(labels) for labels in own]
    common = dict(set.intersection(*(set(labels.items()) for labels in given)))
    chosen = {key: common[key] for key in _NAMING if key in common}
    left = _matching(chosen, others)
    lasting = sorted(common.keys() - chosen.keys() - set(_PASSING))
    for key in (*lasting, *(key for key in _PASSING if key in common)):
        kept = [labels for labels in left if labels.get(key) == common[key]]
        if len(kept) < len(left) or not chosen:
            chosen[key], left = common[key], kept
    return Selection(tuple(sorted(chosen.items())), _lacking(given, left))


def _matching(chosen: Labels, others: Sequence[Labels]) -> list[Labels]:
    return [labels for labels in others if chosen.items() <= labels.items()]


def _lacking(own: Sequence[Labels], others: Sequence[Labels]) -> tuple[str, ...]:
    """Keys that none of ``own`` has, so that as many of ``others`` as possible are told apart by having them."""
    had = {key for labels in own for key in labels}
    left = [given_labels(labels).keys() - had for labels in others]
    chosen: set[str] = set()
    for keys in left:
        if keys and not keys & chosen:
            chosen.add(min(keys))
    return tuple(sorted(chosen))
