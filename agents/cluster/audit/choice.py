"""Which audit events are kept: policies, services and workloads always, other writes up to a rate, reads if asked for.

What is left out is named, so that it can be counted.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from agents.cluster.audit.parse import Event, ObjectReference
from agents.cluster.record.kind import KINDS

_STAGES: Final = frozenset({"ResponseComplete", "Panic"})
"""Of several events of one request the one that knows how it ended."""
_WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_OPENING: Final = frozenset({"exec", "attach", "portforward", "proxy", "ephemeralcontainers"})
"""Ways into a pod, by whatever verb."""
_RIGHTS: Final = "rbac.authorization.k8s.io"
_FOLLOWED: Final = frozenset((kind.group, kind.plural) for kind in KINDS if kind.name != "EndpointSlice")
_HEARTBEATS: Final = frozenset(
    {
        ("coordination.k8s.io", "leases"),
        ("", "events"),
        ("events.k8s.io", "events"),
        ("authentication.k8s.io", "tokenreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
    }
)
"""Said all the time by everybody, and changing nothing that we tell of."""


class Choice(Enum):
    """What becomes of an event."""

    ALWAYS = "always"
    LIMITED = "limited"
    """Kept while the rate allows it."""
    STAGE = "stage"
    READ = "read"
    HEARTBEAT = "heartbeat"


@dataclass(slots=True)
class Allowance:
    """So many a second, and at most a second's worth at once."""

    per_second: int
    _left: float = 0.0
    _at_ns: int = 0

    def take(self, now_ns: int) -> bool:
        """Whether one more may be kept at ``now_ns``, on any clock that runs forward."""
        passed = max(0, now_ns - self._at_ns) / 1_000_000_000
        self._left = min(float(self.per_second), self._left + passed * self.per_second)
        self._at_ns = max(self._at_ns, now_ns)
        if self._left < 1:
            return False
        self._left -= 1
        return True


def choose(event: Event, *, has_reads: bool) -> Choice:
    """Decide by stage, verb and resource; ``has_reads``: get, list and watch are wanted too."""
    if event.stage not in _STAGES:
        return Choice.STAGE
    reference = event.objectRef or ObjectReference()
    if reference.resource == "pods" and reference.subresource in _OPENING:
        return Choice.ALWAYS
    if event.verb not in _WRITES:
        return Choice.LIMITED if has_reads else Choice.READ
    resource = (reference.apiGroup, reference.resource)
    if resource in _HEARTBEATS:
        return Choice.HEARTBEAT
    is_status = reference.subresource in ("status", "binding", "approval", "token")
    is_first = resource in _FOLLOWED or reference.apiGroup == _RIGHTS
    return Choice.ALWAYS if is_first and not is_status else Choice.LIMITED
