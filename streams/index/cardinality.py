"""How many values each field takes, and so what a terms aggregation over it costs. Beside field.py; pure."""

from enum import Enum
from typing import Final

from streams.index.field import Fields


class Band(Enum):
    """What bounds the number of values."""

    FEW = "few"
    """Words of ours or of a protocol, or kinds, namespaces, nodes, policies: tens to hundreds."""
    OBJECTS = "objects"
    """Objects of the cluster over the time asked for, those that are gone included: thousands."""
    CALLERS = "callers"
    """Whoever sends packets chooses them: any number, within what agents and workers let through."""
    EACH = "each"
    """Another one for each connection, exchange or object: search it, never aggregate over it."""
    FIGURE = "figure"
    """A number or an instant: sums, ranges, percentiles."""


MEANINGS: Final = {
    Band.FEW: "tens to hundreds of values: aggregate freely",
    Band.OBJECTS: "grows with the cluster's objects and with time, thousands: aggregate over a filter, with a size",
    Band.CALLERS: "chosen by whoever sends packets, hostile ones included: a size always, and expect the long tail",
    Band.EACH: "another value for each connection, exchange or object: search it, do not aggregate over it",
    Band.FIGURE: "a number or an instant: sums, ranges, percentiles",
}
_FIGURES: Final = ("long", "float", "date")
_CODES: Final = ("source.port", "client.port", "source.nat.port", "destination.nat.port")
"""Numbers that name something, of which there may be as many as there are connections."""
_BANDS: Final = {
    Band.OBJECTS: (
        "related.hosts", "related.workloads", "related.user", "user.name", "orchestrator.resource.name",
        "source.kubernetes.pod.name", "destination.kubernetes.pod.name", "kubernetes.pod.name",
        "source.kubernetes.pod.uid", "destination.kubernetes.pod.uid",
        "source.kubernetes.workload.name", "destination.kubernetes.workload.name", "kubernetes.workload.name",
        "source.kubernetes.labels", "destination.kubernetes.labels", "alert.subject", "alert.members",
        "alert.causes.object", "policy.ingress.policies", "policy.egress.policies", "policy.denied_by",
        "policy.pending", "alert.policies", "destination.service.ip", "source.nat.ip", "destination.nat.ip",
        "policy.uid", "rule.uuid",
    ),
    Band.CALLERS: (
        "related.ip", "source.ip", "destination.ip", "client.ip", "server.ip", "destination.domain",
        "dns.question.name", "dns.answers.data", "dns.resolved_ip", "url.path", "url.domain",
        "user_agent.original", "tls.client.server_name", "conntrail.tls.ja4", "conntrail.tls.alpn",
        "http.request.method", "source.process.name", "destination.process.name", "source.process.executable",
        "destination.process.executable", "user.group.name",
    ),
    Band.EACH: (
        "network.community_id", "flow.id", "http.request.id", "trace.id", "span.id", "event.id",
        "orchestrator.resource.id", "source.process.pid", "destination.process.pid", "alert.id", "event.reason",
        "message", "alert.evidence", "alert.suggestions", "alert.causes.summary", "alert.causes.evidence",
        "alert.nearest_miss", "change.from", "change.to", "deadletter.key", "deadletter.value", *_CODES,
    ),
}  # fmt: skip
_BY_PATH: Final = {path: band for band, paths in _BANDS.items() for path in paths}
CLASSIFIED: Final = frozenset(_BY_PATH)
"""Fields that are said something of by name."""


def bands(fields: Fields) -> dict[str, Band]:
    """Of each field; what is not named here is a figure by its type, or few."""
    return {
        path: _BY_PATH.get(path) or (Band.FIGURE if kind in _FIGURES else Band.FEW) for path, kind in fields.items()
    }
