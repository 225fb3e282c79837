"""What the engine did and what it could not keep. Plain numbers: the stage shows them as metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class AlertCounters:
    """Since the engine was made."""

    signals: int = 0
    replayed: int = 0
    """Signals seen already, and passed over."""
    ahead: int = 0
    """Signals from a clock that is far ahead, passed over."""
    superseded: int = 0
    """Windows of a revision that a higher one has replaced."""
    opened: int = 0
    updated: int = 0
    resolved: int = 0
    inhibited: int = 0
    """Findings that another open alert says better."""
    damped: int = 0
    """Resolutions held back since the alert flaps."""
    evicted_edges: int = 0
    refused_edges: int = 0
    """Records of new edges of sources that have too many already, all of which have worked."""
    evicted_clients: int = 0
    evicted_domains: int = 0
    evicted_pairs: int = 0
    evicted_things: int = 0
    evicted_changes: int = 0
    evicted_tallies: int = 0
    """Occurrences within a window that were too many to be kept apart."""
    evicted_targets: int = 0
    """Destinations of one source that were too many to be told apart."""
    evicted_names: int = 0
    """Names of one client that were too many to be kept apart."""
    refused_findings: int = 0
    refused_alerts: int = 0
    refused_silences: int = 0
    unreadable: int = 0
    """Entries of the state store that are not of this version; they begin anew."""
