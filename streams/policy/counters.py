"""Figures of the policies, as Prometheus names them."""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from streams.policy.policy import Policy

_NAMED: Final = 100
"""Anybody who may write policies may write as many as they like."""
_LABELS: Final = ("kind", "namespace", "name")


class PolicyCounters:
    """What is in force, and what of it cannot be judged."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._in_force = Gauge("conntrail_worker_policies", "Policies in force.", registry=registry)
        self._undecidable = Gauge(
            "conntrail_worker_undecidable_policies",
            "Policies in force that use something unknown or malformed, so that some of their verdicts are unknown.",
            registry=registry,
        )
        self._named = Gauge(
            "conntrail_worker_undecidable_policy",
            f"1 for each of them, {_NAMED} at most; conntrail policy list says why.",
            _LABELS,
            registry=registry,
        )

    def note(self, policies: Sequence[Policy]) -> None:
        """All policies in force."""
        undecidable = [policy for policy in policies if policy.faults]
        self._in_force.set(len(policies))
        self._undecidable.set(len(undecidable))
        self._named.clear()
        for policy in undecidable[:_NAMED]:
            self._named.labels(policy.kind, policy.namespace, policy.name).set(1)
