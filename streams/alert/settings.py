"""What an operator may choose about alerts. The stage makes it of runtime's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Durations in seconds; bounds in entries."""

    cluster: str = "default"
    """Part of every alert's identity."""
    cluster_domain: str = "cluster.local"
    """Ends the names of Services: steps of search paths are known by it."""
    learning_seconds: float = 3600
    """From the first signal ever: rules about what is new or rises say nothing so long. 0: they speak at once."""
    update_seconds: float = 30
    """An open alert is told again at most so often, and only with something new."""
    group_wait_seconds: float = 1
    """So long the first subject of a possible group waits for others: part of the way from a denial to its alert."""
    look_back_seconds: float = 600
    """Changes older than that before an alert's start are no cause of it."""
    effect_seconds: float = 120
    """An edge that stops or starts within this of a policy's change is counted as its effect."""
    flap_opens: int = 3
    """An alert that opens so often within ``flap_seconds`` is resolved only after ``flap_clear_seconds`` of quiet."""
    flap_seconds: float = 1800
    flap_clear_seconds: float = 900
    remember_seconds: float = 7200
    """A resolved alert is remembered so long, for its revision and its flapping."""
    forget_seconds: float = 7 * 86400
    """An edge or workload of which nothing was heard for so long is forgotten."""
    maximum_edges: int = 200_000
    maximum_edges_of_source: int = 2000
    """A workload that dials more than that is no reason to forget the others' edges: its own that never worked go."""
    maximum_edges_from_outside: int = 20_000
    """The same for all sources outside together: whoever scans from there meets every port of every destination."""
    maximum_clients: int = 20_000
    maximum_domains: int = 20_000
    maximum_pairs: int = 50_000
    """Client and server of HTTP."""
    maximum_things: int = 10_000
    """Nodes, stages, captures and objects of events that rules are about."""
    maximum_changes: int = 2000
    maximum_findings: int = 20_000
    """Subjects for which a rule holds, open or waiting. Those of severity low fill half of it at most."""
    maximum_alerts: int = 2000
    maximum_silences: int = 500
    ahead_seconds: float = 600
    """A signal that is dated later than that after the last ``advance`` is passed over: its node's clock is wrong."""

    @property
    def effect_wait_seconds(self) -> float:
        """When the effect of a policy's change is told: windows of its time must have come by then."""
        return 2 * self.effect_seconds
