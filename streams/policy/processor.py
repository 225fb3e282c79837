"""Tells operators which policies in force cannot be judged as a whole: by metrics, and in the log once each."""

from collections.abc import Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from streams.policy.counters import PolicyCounters
from streams.policy.policy import Policy

_TOLD: Final = 100
_log = structlog.get_logger()


class PolicyWatch:
    """Knows what it has told of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counters = PolicyCounters(registry)
        self._faults: dict[tuple[str, str, str], str] = {}

    def note(self, policies: Sequence[Policy]) -> None:
        """All policies in force, whenever they have changed."""
        self._counters.note(policies)
        undecidable = [policy for policy in policies if policy.faults]
        faults = {(policy.kind, policy.namespace, policy.name): policy.faults[0] for policy in undecidable}
        for (kind, namespace, name), fault in list(faults.items())[:_TOLD]:
            if self._faults.get((kind, namespace, name)) != fault:
                _log.warning("policy cannot be judged as a whole", policy=f"{kind}:{namespace}/{name}", reason=fault)
        self._faults = faults
