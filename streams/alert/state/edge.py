"""What is kept of one edge: what worked, since when, what fails now, and its baselines."""

import msgspec

from streams.alert.signal.end import End
from streams.alert.state.average import Average
from streams.alert.state.seen import Seen
from streams.alert.state.tally import Entry


class EdgeState(msgspec.Struct, array_like=True):
    """Times are Unix, ns; 0 where there was none."""

    source: End
    destination: End
    port: int
    transport: str
    first_seen_ns: int
    heard_ns: int = 0
    worked_since_ns: int = 0
    worked_until_ns: int = 0
    """It was alive: an established connection counts."""
    opened_ns: int = 0
    """A new connection got through, at the earliest: what failed before is over."""
    failed_ns: int = 0
    """An attempt failed, at the latest for prompt facts, at the earliest for windows."""
    failing_since_ns: int = 0
    mode: str = ""
    denied_by: list[str] = msgspec.field(default_factory=list)
    nearest_miss: str = ""
    service: str = ""
    service_port: int = 0
    domain: str = ""
    selected_since_ns: int = 0
    """Since when policies select an end of it."""
    selected_until_ns: int = 0
    """When that ended, while it is worth telling."""
    nodes: list[str] = msgspec.field(default_factory=list)
    seen: Seen = msgspec.field(default_factory=dict)
    entries: list[Entry] = msgspec.field(default_factory=list)
    rtt_us: Average = msgspec.field(default_factory=Average)
    retransmits: Average = msgspec.field(default_factory=Average)
    starts: Average = msgspec.field(default_factory=Average)
    """Connections that get through, a second, in windows in which any did."""
    counted_ns: int = 0
    """End of the window that is being counted, what it has so far, and its length."""
    counted_starts: int = 0
    counted_seconds: float = 1.0

    @property
    def is_failing(self) -> bool:
        """Attempts have failed since one got through last."""
        return self.failed_ns > self.opened_ns

    @property
    def worked(self) -> bool:
        """Before it failed, or at all when it does not."""
        return self.worked_since_ns > 0


def edge_name(source: End, destination: End, port: int, transport: str) -> str:
    """What the state calls an edge."""
    return f"{source.key}|{destination.key}|{port}/{transport}"
