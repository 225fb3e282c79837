"""Who made a change: joins changes with the requests that the audit log tells of, whichever of them comes first.

A change is what was seen of an object after a request on that object, so of the requests that were received before it
was seen the latest one made it. Both sides wait for the other for five minutes, in tables of bounded size.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from agents.cluster.record.slim import Record

_PATIENCE_NS: Final = 300 * 1_000_000_000
_SKEW_NS: Final = 2 * 1_000_000_000
"""The API server's clock may be ahead of ours by this, so that what made a change seems to have come after it. Whoever
really came after it, as a controller does, must not be taken for its author: a request of so long before goes first."""
_MAXIMUM_OBJECTS: Final = 4096
_MAXIMUM_OF_OBJECT: Final = 16
_VERBS: Final = {
    "created": frozenset({"create", "patch", "update"}),  # a patch creates when it is applied by the server
    "deleted": frozenset({"delete", "deletecollection"}),
    "changed": frozenset({"update", "patch"}),
    "scaled": frozenset({"update", "patch"}),
    "rolled_out": frozenset({"update", "patch"}),
}
"""What happens to an object by itself, readiness and restarts, is nobody's."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that succeeded."""

    key: str
    """Of the object, as in k8s.objects."""
    verb: str
    user: str
    received_at_ns: int


@dataclass(slots=True)
class _Object:
    requests: list[Request] = field(default_factory=list)
    changes: list[tuple[int, Record]] = field(default_factory=list)
    """When it was seen, and the change."""


class Attribution:
    """Remembers requests and changes of the last minutes."""

    def __init__(self) -> None:
        self._objects: OrderedDict[str, _Object] = OrderedDict()

    def note_change(self, key: str, change: Record, seen_at_ns: int) -> Record:
        """The change with who made it, as far as that is known by now."""
        if change["action"] not in _VERBS:
            return change
        known = self._object(key)
        for request in sorted(known.requests, key=lambda one: one.received_at_ns):
            change = _better(change, request, seen_at_ns)
        known.changes = [*known.changes, (seen_at_ns, change)][-_MAXIMUM_OF_OBJECT:]
        return change

    def note_request(self, request: Request) -> list[Record]:
        """Changes told before that are now known to be this request's: to be told again under their ids."""
        known = self._object(request.key)
        known.requests = [*known.requests, request][-_MAXIMUM_OF_OBJECT:]
        found, kept = [], []
        for seen_at_ns, change in known.changes:
            told = _better(change, request, seen_at_ns)
            kept.append((seen_at_ns, told))
            if told is not change:
                found.append(told)
        known.changes = kept
        return found

    def _object(self, key: str) -> _Object:
        known = self._objects.setdefault(key, _Object())
        self._objects.move_to_end(key)
        if len(self._objects) > _MAXIMUM_OBJECTS:
            self._objects.popitem(last=False)
        return known


def _better(change: Record, request: Request, seen_at_ns: int) -> Record:
    """The change as this request's, when that fits it better than the one it is known by, and is later.

    Readers take the later request, so that one that becomes known too late for its place changes nothing.
    """
    is_fit = request.verb in _VERBS[change["action"]] and request.user
    age_ns = seen_at_ns - request.received_at_ns
    is_later = request.received_at_ns > change["by_at_ns"]
    is_too_late = age_ns < 0 and change["by_at_ns"] >= seen_at_ns - _SKEW_NS
    if not is_fit or not is_later or is_too_late or not -_SKEW_NS <= age_ns <= _PATIENCE_NS:
        return change
    return {**change, "by": request.user, "by_at_ns": request.received_at_ns}
