"""Facts in the form that the engine takes, whatever record they came in. Times are Unix, ns.

The stage feeds them in event-time order. ``place`` is where the record stands in its topic: what was seen already of an
edge or a workload is known by it, so a signal that is fed twice counts once.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from streams.alert.signal.end import End


class Place(NamedTuple):
    """Of a record. Records of one edge, client or object are in one partition, in order."""

    topic: str
    partition: int
    offset: int


class Emission(NamedTuple):
    """Which window a record tells of: a higher revision of the same id, or of the same span, replaces it."""

    id: str
    revision: int
    partition: int
    """Of flows.raw."""
    end_ns: int


@dataclass(frozen=True, slots=True)
class EdgeSignal:
    """What one edge did in a span; an edge has several in one window, and they add up."""

    place: Place | None
    start_ns: int
    end_ns: int
    source: End
    destination: End
    port: int
    transport: str
    action: str
    """allowed, denied or failed."""
    mode: str = ""
    """How it failed; see MODES."""
    reason: str = ""
    emission: Emission | None = None
    identity: str = ""
    """Of a prompt fact: two of one identity are the same, told by both nodes."""
    is_prompt: bool = False
    """Its times are those of packets, not of a window: a success earlier in the window is earlier."""
    service: str = ""
    service_port: int = 0
    protocol: str = ""
    direction: str = ""
    domain: str = ""
    started: int = 0
    """Connections that got through."""
    active: int = 0
    denied: int = 0
    failed: int = 0
    begun: int = 0
    """Of prompt failures: how many tries began meanwhile, these included; 0 when not counted."""
    bytes: int = 0
    packets: int = 0
    retransmits: int = 0
    rtt_us: int | None = None
    is_drift: bool = False
    verdict: str = ""
    policies: tuple[str, ...] = ()
    """That met it."""
    denied_by: tuple[str, ...] = ()
    nearest_miss: str = ""
    coverage: str = "complete"
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpanSignal:
    """Windows of this partition and end with a lower revision are stale, also those that do not come again."""

    place: Place | None
    partition: int
    end_ns: int
    revision: int


@dataclass(frozen=True, slots=True)
class DnsSignal:
    """Questions of one client for one name with one result, in one interval."""

    place: Place | None
    start_ns: int
    end_ns: int
    source: End
    server: End
    server_port: int
    name: str
    code: str
    """NOERROR, NXDOMAIN …, TIMEOUT."""
    count: int
    mean_us: int | None = None
    p95_us: int | None = None
    answers: tuple[str, ...] = ()
    service: str = ""
    """That was asked, namespace/name; who answers stands behind it."""
    service_port: int = 0


@dataclass(frozen=True, slots=True)
class HttpSignal:
    """Requests of one client to one server with one path and status, in one interval."""

    place: Place | None
    start_ns: int
    end_ns: int
    source: End
    destination: End
    port: int
    action: str
    """answered, error or unanswered."""
    count: int
    path: str = ""
    status: int = 0
    mean_us: int | None = None
    service: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSignal:
    """Something of an object became different."""

    place: Place | None
    at_ns: int
    id: str
    kind: str
    namespace: str
    name: str
    action: str
    summary: str
    by: str = ""
    by_at_ns: int = 0
    service: str = ""
    workloads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventSignal:
    """A Kubernetes Event."""

    place: Place | None
    at_ns: int
    id: str
    kind: str
    namespace: str
    name: str
    type: str
    reason: str
    message: str
    count: int = 1
    workloads: tuple[str, ...] = ()
    node: str = ""


@dataclass(frozen=True, slots=True)
class NodeSignal:
    """What one node could see in one interval; blind also when nothing was heard of it."""

    place: Place | None
    start_ns: int
    end_ns: int
    node: str
    coverage: str
    lost: int = 0


@dataclass(frozen=True, slots=True)
class PipelineSignal:
    """Figures of one stage since the signal before."""

    place: Place | None
    start_ns: int
    end_ns: int
    stage: str
    dead_letters: int = 0
    lag_seconds: float | None = None
    """None: it does not say."""


@dataclass(frozen=True, slots=True)
class CaptureSignal:
    """How a capture is getting on."""

    place: Place | None
    at_ns: int
    id: str
    node: str
    state: str
    reason: str = ""
    packets: int = 0
    dropped: int = 0
    workloads: tuple[str, ...] = field(default=())


Signal = (
    EdgeSignal
    | SpanSignal
    | DnsSignal
    | HttpSignal
    | ChangeSignal
    | EventSignal
    | NodeSignal
    | PipelineSignal
    | CaptureSignal
)
