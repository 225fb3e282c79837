"""What is kept of one workload or node as the one that dials and asks."""

import msgspec

from streams.alert.signal.end import End
from streams.alert.state.average import Average
from streams.alert.state.seen import Seen


class Bucket(msgspec.Struct, array_like=True):
    """Questions of ten seconds."""

    start_ns: int
    queries: int = 0
    failures: int = 0
    timeouts: int = 0
    missed: dict[str, int] = msgspec.field(default_factory=dict)
    """NXDOMAIN by name, a bounded number of names."""
    missed_others: int = 0
    """NXDOMAIN of names beyond those."""
    steps: int = 0
    """NXDOMAIN of names that can be nothing but steps of a search path."""
    found: list[str] = msgspec.field(default_factory=list)
    """Names that were found, a bounded number: they explain steps of a search path."""


class ClientState(msgspec.Struct, array_like=True):
    """Times are Unix, ns."""

    end: End
    first_seen_ns: int
    heard_ns: int = 0
    edges: int = 0
    targets: dict[int, tuple[int, int, int, bool]] = msgspec.field(default_factory=dict)
    """New or never working destinations: digest of host and port → time, the host's digest, port, whether it worked."""
    names: dict[int, int] = msgspec.field(default_factory=dict)
    """Outside domains and addresses met → when first, by digest."""
    strange: dict[int, int] = msgspec.field(default_factory=dict)
    """Registered domains that are not there and look generated → when last, by digest."""
    seen: Seen = msgspec.field(default_factory=dict)
    buckets: list[Bucket] = msgspec.field(default_factory=list)
    latency_us: Average = msgspec.field(default_factory=Average)


class DomainState(msgspec.Struct, array_like=True):
    """Questions of one client for names under one registered domain."""

    heard_ns: int
    names: dict[int, int] = msgspec.field(default_factory=dict)
    """Distinct names → when last, by digest."""
    start_ns: int = 0
    queries: int = 0
    length_sum: int = 0
    entropy_sum: float = 0.0
    seen: Seen = msgspec.field(default_factory=dict)


class PairState(msgspec.Struct, array_like=True):
    """Requests of one client to one server."""

    heard_ns: int
    seen: Seen = msgspec.field(default_factory=dict)
    buckets: list[tuple[int, int, int, int, int]] = msgspec.field(default_factory=list)
    """Start, requests, errors, requests with a latency, sum of latencies in µs."""
    errors: Average = msgspec.field(default_factory=Average)
    latency_us: Average = msgspec.field(default_factory=Average)
    first_seen_ns: int = 0
    failed_path: str = ""
    """Of the last request that failed."""


class ThingState(msgspec.Struct, array_like=True):
    """A node, a stage, a capture, an object: whatever is counted in a window."""

    heard_ns: int
    seen: Seen = msgspec.field(default_factory=dict)
    buckets: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """Time and count."""
