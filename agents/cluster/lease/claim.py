"""Who may publish: the holder of a Lease (coordination.k8s.io/v1), decided as client-go's leader election does.

Instants are the machine's monotonic ones, in ns: the lease's own times come from other clocks, so a lease counts as
expired once it has not changed for its duration as observed here. Whoever holds it stops a third of the duration
before others may take it.
A term lasts as long as nobody else can have had the lease in between: what was learnt in it stays true.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from agents.cluster.record.value import mapping, number, text

Object = Mapping[str, Any]
Step = Literal["create", "take", "renew", "wait"]
_NS_PER_SECOND: Final = 1_000_000_000
_LEASE: Final = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}


@dataclass(frozen=True, slots=True)
class Terms:
    """Which lease, and who asks."""

    namespace: str
    name: str
    identity: str
    duration_seconds: float

    @property
    def renew_seconds(self) -> float:
        """How often to renew, or to look whether it is free."""
        return self.duration_seconds / 5

    @property
    def hold_ns(self) -> int:
        """How long a renewal is good for, counted from when it was sent."""
        return int(self.duration_seconds * _NS_PER_SECOND * 2 / 3)


class Claim:
    """What this replica knows of the lease."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._seen: tuple[str, str] | None = None
        self._seen_at_ns = 0
        self._held_until_ns = 0
        self._term = 0
        self._is_new_term = True

    def held_term(self, now_ns: int) -> int:
        """Number of the term in which this replica may publish, from 1; 0 while it may not."""
        return self._term if now_ns < self._held_until_ns else 0

    def step(self, lease: Object | None, now_ns: int) -> Step:
        """What to do about the lease as it is now; None when there is none."""
        if lease is None:
            self._is_new_term = True
            return "create"
        spec = mapping(lease, "spec")
        seen = (text(spec, "holderIdentity"), text(lease, "metadata", "resourceVersion"))
        if seen != self._seen:
            self._seen, self._seen_at_ns = seen, now_ns
        if seen[0] == self._terms.identity:
            return "renew"
        self._is_new_term = True
        duration_ns = number(spec, "leaseDurationSeconds") * _NS_PER_SECOND
        is_free = not seen[0] or now_ns - self._seen_at_ns > duration_ns
        return "take" if is_free else "wait"

    def note_held(self, sent_at_ns: int) -> None:
        """The API server took what was sent then."""
        self._term += self._is_new_term
        self._is_new_term = False
        self._held_until_ns = sent_at_ns + self._terms.hold_ns

    def note_lost(self) -> None:
        """Somebody else has it, or it was given back."""
        self._held_until_ns = 0


def lease_body(terms: Terms, lease: Object | None, step: Step, now: str) -> dict[str, Any]:
    """The lease to send; ``now`` as RFC 3339 with microseconds. Its version makes a race a conflict."""
    spec = dict(mapping(lease, "spec"))
    if step != "renew":
        spec |= {"acquireTime": now, "leaseTransitions": number(spec, "leaseTransitions") + (step == "take")}
    spec |= {
        "holderIdentity": terms.identity,
        "leaseDurationSeconds": max(1, round(terms.duration_seconds)),
        "renewTime": now,
    }
    return {**_LEASE, "metadata": _metadata(terms, lease), "spec": spec}


def released_body(terms: Terms, lease: Object, now: str) -> dict[str, Any]:
    """The lease given back, so that another replica need not wait for its end."""
    spec = {**mapping(lease, "spec"), "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": now}
    return {**_LEASE, "metadata": _metadata(terms, lease), "spec": spec}


def _metadata(terms: Terms, lease: Object | None) -> dict[str, Any]:
    return {**mapping(lease, "metadata")} or {"name": terms.name, "namespace": terms.namespace}
