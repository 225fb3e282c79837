"""What each rule of each policy decided: records of policy hits summed up."""

from dataclasses import dataclass
from typing import Final

from conntrail.policy.history.document import Body, hits_of
from conntrail.policy.history.seen import HitKey
from conntrail.report.fact.bounded import Bounded

MAXIMUM_RULES: Final = 50_000


@dataclass(slots=True)
class RuleFigures:
    """What hits add up to."""

    connections: int
    allowed: int
    denied: int
    bytes: int
    first_ms: int
    last_ms: int

    def merge(self, other: "RuleFigures", /) -> None:
        """Add."""
        self.connections += other.connections
        self.allowed += other.allowed
        self.denied += other.denied
        self.bytes += other.bytes
        self.first_ms, self.last_ms = min(self.first_ms, other.first_ms), max(self.last_ms, other.last_ms)


class RuleBook:
    """Hits in any order in, rules out."""

    def __init__(self, maximum: int = MAXIMUM_RULES) -> None:
        self._found: Bounded[HitKey, RuleFigures] = Bounded(maximum)

    def add(self, body: Body) -> None:
        """Take one hit in."""
        hits = hits_of(body)
        self._found.add(
            hits.key,
            RuleFigures(hits.connections, hits.allowed, hits.denied, hits.bytes, hits.first_seen_ms, hits.last_seen_ms),
        )

    def items(self) -> list[tuple[HitKey, RuleFigures]]:
        """By policy."""
        return self._found.items()

    @property
    def has_more(self) -> bool:
        """Whether there was no room for some."""
        return self._found.rest() is not None
