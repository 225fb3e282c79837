"""Sums over parts of a period: parts add up to the same records in whatever order and portions they come.

Both readers end here, so that they give the same records for the same data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from conntrail.policy.history.seen import MAXIMUM_EXAMPLES, HitKey, RuleHits, Seen, SeenKey, SeenPod


@dataclass(frozen=True, slots=True)
class Examples:
    """Who exactly it was, where flows tell."""

    source_pods: frozenset[str] = frozenset()
    destination_pods: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()


@dataclass(slots=True)
class Tally:
    """Takes parts in, gives records out."""

    _seen: dict[SeenKey, Seen] = field(default_factory=dict)
    _examples: dict[SeenKey, Examples] = field(default_factory=dict)
    _pods: dict[str, SeenPod] = field(default_factory=dict)
    _hits: dict[HitKey, RuleHits] = field(default_factory=dict)

    def add_seen(self, part: Seen) -> None:
        """Take in a part of a record, without examples."""
        before = self._seen.get(part.key)
        self._seen[part.key] = part if before is None else _joined(before, part)

    def add_hits(self, part: RuleHits) -> None:
        """Take in a part of a rule's hits."""
        before = self._hits.get(part.key)
        self._hits[part.key] = part if before is None else _joined_hits(before, part)

    def add_examples(self, key: SeenKey, examples: Examples) -> None:
        """Take in who it was."""
        before = self._examples.get(key, Examples())
        self._examples[key] = Examples(
            _first(before.source_pods | examples.source_pods),
            _first(before.destination_pods | examples.destination_pods),
            _first(before.domains | examples.domains),
        )

    def add_pod(self, pod: SeenPod) -> None:
        """Take in a state of a pod; the latest one counts, of equally late ones the greater, addresses gather."""
        before = self._pods.get(pod.key)
        if before is None:
            self._pods[pod.key] = replace(pod, addresses=tuple(sorted(set(pod.addresses))))
            return
        addresses = tuple(sorted({*before.addresses, *pod.addresses}))
        self._pods[pod.key] = replace(max(before, pod, key=_lateness), addresses=addresses)

    def seen(self) -> tuple[Seen, ...]:
        """Records with their examples, sorted by key."""
        return tuple(_with_examples(part, self._examples) for _, part in sorted(self._seen.items()))

    def hits(self) -> tuple[RuleHits, ...]:
        """Rules with their figures, sorted by key."""
        return tuple(part for _, part in sorted(self._hits.items()))

    def pods(self) -> Mapping[str, SeenPod]:
        """By namespace and name."""
        return dict(sorted(self._pods.items()))


def _lateness(pod: SeenPod) -> tuple[int, list[tuple[str, str]]]:
    return pod.last_seen_ms, sorted(pod.labels.items())


def _first(names: Iterable[str]) -> frozenset[str]:
    return frozenset(sorted(names)[:MAXIMUM_EXAMPLES])


def _with_examples(part: Seen, examples: Mapping[SeenKey, Examples]) -> Seen:
    found = examples.get(part.key)
    if found is None:
        return part
    return replace(
        part,
        source_pods=tuple(sorted(found.source_pods)),
        destination_pods=tuple(sorted(found.destination_pods)),
        domains=tuple(sorted(found.domains)),
    )


def _joined(one: Seen, other: Seen) -> Seen:
    return Seen(
        one.key,
        one.connections + other.connections,
        one.flows + other.flows,
        one.bytes + other.bytes,
        min(one.first_seen_ms, other.first_seen_ms),
        max(one.last_seen_ms, other.last_seen_ms),
    )


def _joined_hits(one: RuleHits, other: RuleHits) -> RuleHits:
    return RuleHits(
        one.key,
        one.connections + other.connections,
        one.flows + other.flows,
        one.bytes + other.bytes,
        one.allowed + other.allowed,
        one.denied + other.denied,
        min(one.first_seen_ms, other.first_seen_ms),
        max(one.last_seen_ms, other.last_seen_ms),
    )
