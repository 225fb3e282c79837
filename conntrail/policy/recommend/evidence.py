"""What a rule rests on: sums over records of what was seen."""

from collections.abc import Iterable
from dataclasses import dataclass

from conntrail.policy.history.period import instant_text
from conntrail.policy.history.seen import Seen


@dataclass(frozen=True, slots=True)
class Evidence:
    """Build it by ``evidence_of``."""

    connections: int = 0
    flows: int = 0
    peers: int = 0
    """Far ends, each once."""
    first_seen_ms: int = 0
    last_seen_ms: int = 0

    def __str__(self) -> str:
        if not self.flows and not self.connections:
            return "nothing seen"
        span = f"first seen {instant_text(self.first_seen_ms)}, last seen {instant_text(self.last_seen_ms)}"
        return f"{many(self.connections, 'connection')} in {many(self.flows, 'flow')}, {span}"


def evidence_of(records: Iterable[Seen], peers: int) -> Evidence:
    """Sum them up; ``peers``: how many far ends they have."""
    found = list(records)
    if not found:
        return Evidence(peers=peers)
    return Evidence(
        sum(seen.connections for seen in found),
        sum(seen.flows for seen in found),
        peers,
        min(seen.first_seen_ms for seen in found),
        max(seen.last_seen_ms for seen in found),
    )


def many(count: int, name: str) -> str:
    """A figure with its noun."""
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
