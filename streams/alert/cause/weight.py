"""How much speaks for a cause. Confidence = fit * nearness * relation, each from 0 to 1, so one that is 0 rules it out.

fit       how well the kind of change explains the way it fails: a policy denies, it never refuses with a reset
nearness  1 up to 5 s after the change, then it halves every two minutes
relation  what the change has to do with the edge: it is named by the denial, touches an end, or is only near

The figures are judgement, not statistics: they order what is plausible. They stand here and nowhere else.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

FIT: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "denied": {
            "policy": 0.95, "namespace": 0.6, "rollout": 0.35, "pod": 0.15, "node": 0.1, "endpoints": 0.1,
            "scaling": 0.1,
        },
        "drift": {"policy": 0.8, "node": 0.4, "rollout": 0.2, "namespace": 0.3},
        "refused": {
            "endpoints": 0.85, "rollout": 0.85, "pod": 0.85, "scaling": 0.7, "node": 0.3, "policy": 0.25,
            "namespace": 0.2, "certificate": 0.2,
        },
        "timeout": {
            "node": 0.85, "policy": 0.7, "endpoints": 0.7, "rollout": 0.6, "pod": 0.6, "scaling": 0.6,
            "dns": 0.45,
            "namespace": 0.3,
        },
        "no_endpoints": {
            "endpoints": 0.95, "scaling": 0.9, "rollout": 0.85, "pod": 0.8, "node": 0.75, "namespace": 0.3,
        },
        "dns": {
            "endpoints": 0.8, "scaling": 0.8, "policy": 0.7, "rollout": 0.65, "pod": 0.65, "node": 0.6,
        },
        "error": {
            "rollout": 0.85, "pod": 0.8, "endpoints": 0.6, "certificate": 0.5, "scaling": 0.5, "node": 0.5,
            "dns": 0.4, "policy": 0.3,
        },
        "slow": {
            "node": 0.65, "rollout": 0.65, "scaling": 0.6, "pod": 0.5, "endpoints": 0.5, "policy": 0.1,
        },
        "blind": {"node": 0.9, "pod": 0.6, "rollout": 0.5},
        "": {"policy": 0.6, "rollout": 0.5, "namespace": 0.4},
    }
)  # fmt: skip
"""By the way it fails, then by the kind of change."""
BY_DEFINITION: Final = 1.0
NAMED: Final = 1.0
"""The denial names the policy."""
BOTH_ENDS: Final = 1.0
DESTINATION: Final = 0.95
SERVICE: Final = 0.95
SOURCE: Final = 0.8
NODE: Final = 0.8
SAME_NAMESPACE: Final = 0.4
CLUSTER_WIDE: Final = 0.5
"""A policy of the cluster may select anything."""
LEAST: Final = 0.05
"""What is less likely than that is not told."""
_SLACK_SECONDS: Final = 5.0
"""Plugins enforce, and watches tell of a change, within about a second; figures of a window are coarser."""
_HALF_SECONDS: Final = 120.0
LATE_SECONDS: Final = 30.0
"""A change that is seen later than that after the first failure is no cause of it."""
_LATE_WEIGHT: Final = 0.5


def fit(mode: str, kind: str) -> float:
    """How well a kind of change explains a way of failing."""
    return FIT.get(mode, FIT[""]).get(kind, 0.0)


def nearness(seconds: float) -> float:
    """Of a change so long before the first failure; negative when it was seen after it."""
    if seconds < -LATE_SECONDS:
        return 0.0
    if seconds < -_SLACK_SECONDS:
        return _LATE_WEIGHT
    return float(0.5 ** (max(0.0, seconds - _SLACK_SECONDS) / _HALF_SECONDS))
