"""What a rule can speak of: the measures of each kind of signal. Conditions, groups and texts know no other names.

Sums and distinct counts are those of the rule's ``window``; ratios are from 0 to 1; a ``…_rise`` is the present value
over its own baseline, and not known before the baseline is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["number", "text", "flag"]
MODES: Final = ("", "denied", "refused", "timeout", "no_endpoints")


@dataclass(frozen=True, slots=True)
class Measure:
    """A name of a signal. ``choices``: what a text can be, empty when anything."""

    kind: Kind
    doc: str
    choices: tuple[str, ...] = ()


def _number(doc: str) -> Measure:
    return Measure("number", doc)


def _text(doc: str, *choices: str) -> Measure:
    return Measure("text", doc, choices)


def _flag(doc: str) -> Measure:
    return Measure("flag", doc)


_SOURCE: Final = {
    "source": _text("The source in words: namespace/name, node/name or an address."),
    "source_namespace": _text("Its namespace; empty for a node or outside."),
    "source_kind": _text("Kind of its workload; Outside for addresses that no object has."),
    "source_name": _text("Name of its workload."),
    "source_known_seconds": _number("Since when the source is known, seconds."),
}
_DESTINATION: Final = {
    "destination": _text("The destination in words."),
    "destination_namespace": _text("Its namespace; empty for a node or outside."),
    "destination_kind": _text("Kind of its workload; Service when nothing stands behind one; Outside."),
    "destination_name": _text("Name of its workload, or its address."),
    "port": _number("Port of the destination."),
}
_COMMON: Final = {"is_learning": _flag("Baselines are still being filled.")}
_EDGE: Final = {
    **_SOURCE,
    **_DESTINATION,
    **_COMMON,
    "service": _text("The Service dialled, namespace/name; empty when none was."),
    "domain": _text("Name by which an outside destination was found; empty when not known."),
    "transport": _text("tcp, udp, sctp, icmp …"),
    "protocol": _text("Application protocol where known."),
    "is_dns": _flag("It carries look-ups, which rules of signal dns tell of."),
    "direction": _text("internal, outbound, inbound or external.", "internal", "outbound", "inbound", "external"),
    "verdict": _text("What the policies say.", "allow", "deny", "none", "unknown", ""),
    "coverage": _text("What the nodes could see.", "complete", "lossy", "blind"),
    "mode": _text("How the edge fails; empty when it does not.", *MODES),
    "scope": _text("What failing edges share: the namespace of the policy that denies, else the destination's."),
    "is_new": _flag("Never seen before the window."),
    "is_new_contact": _flag("Outside, and neither its address nor its domain was met by the source before the window."),
    "worked": _flag("It was seen to work before it failed."),
    "works": _flag("New connections get through."),
    "is_failing": _flag("The record tells of attempts that failed, and none has got through since."),
    "is_prompt": _flag("Told at once: what got through meanwhile is told later, with its window."),
    "is_total": _flag("Told at once, and all that the client tried meanwhile failed alike."),
    "is_drift": _flag("What happened contradicts what the policies say."),
    "is_cross_namespace": _flag("Between two namespaces of the cluster."),
    "is_outside": _flag("The destination is outside the cluster."),
    "is_clear_text": _flag("The protocol, or the port where it is not known, is not encrypted."),
    "is_unprotected": _flag("No policy selects either end."),
    "lost_policy": _flag("Policies selected an end of it for an hour or more, and none does any more."),
    "known_seconds": _number("Since when the edge is known, seconds."),
    "started": _number("Connections that got through, in the record."),
    "denied": _number("Attempts denied."),
    "failed": _number("Attempts failed without a policy that explains it."),
    "failures": _number("Attempts denied or failed since one got through last."),
    "failing_seconds": _number("Since when it fails, seconds."),
    "failure_share": _number("Failures over what gets through in such a time usually, 1 at most and when not known."),
    "bytes": _number("IP bytes both ways, in the record."),
    "packets": _number("Packets both ways, in the record."),
    "retransmits": _number("Segments retransmitted, in the record."),
    "retransmit_ratio": _number("Of the packets."),
    "retransmit_rise": _number("Ratio over its baseline."),
    "rtt_us": _number("Median round trip time, µs."),
    "rtt_rise": _number("Round trip time over its baseline."),
}
_SCAN: Final = {
    **_SOURCE,
    **_COMMON,
    "hosts": _number("Distinct destinations, new or never working."),
    "unreached_hosts": _number("Those of them that never worked."),
    "ports": _number("Greatest number of distinct such ports on one destination."),
    "targets": _number("Distinct such destinations with port; 512 at most are told apart."),
    "target": _text("The destination last tried: the one with most ports when `ports` has just risen."),
    "works": _flag("The last one got through."),
}
_DNS: Final = {
    **_SOURCE,
    **_COMMON,
    "server": _text("The server last asked, in words."),
    "queries": _number("Questions."),
    "failures": _number("Questions without an answer, or answered by an error other than NXDOMAIN."),
    "failure_ratio": _number("Of the questions."),
    "timeouts": _number("Questions without an answer."),
    "missed": _number("NXDOMAIN; steps of a search path whose name was found do not count."),
    "missed_ratio": _number("Of the questions that are no such steps."),
    "random_domains": _number("Distinct registered domains that are not there and look generated."),
    "latency_us": _number("95th percentile of the last record, µs."),
    "latency_rise": _number("Mean latency over its baseline."),
    "is_cut": _flag("Policies deny the edge to the server itself, which says it better."),
}
_DOMAIN: Final = {
    **_SOURCE,
    **_COMMON,
    "domain": _text("Registered domain."),
    "queries": _number("Questions for names under it."),
    "names": _number("Distinct names under it; 512 at most are told apart."),
    "mean_length": _number("Mean length of what stands before the domain, characters."),
    "entropy": _number("Mean entropy of it, bits a character."),
}
_HTTP: Final = {
    **_SOURCE,
    **_DESTINATION,
    **_COMMON,
    "requests": _number("Requests of HTTP/1; of HTTP/2 nobody sees how they end."),
    "errors": _number("Answers with status 500 or above, and requests without answer."),
    "error_ratio": _number("Of the requests."),
    "error_rise": _number("Ratio over its baseline; a baseline below 1 in 1,000 counts as that."),
    "latency_us": _number("Mean latency, µs."),
    "latency_rise": _number("Latency over its baseline."),
    "path": _text("Template of the last path that failed; empty when none has."),
}
_NODE: Final = {
    "node": _text("Node."),
    "coverage": _text("What it could see.", "complete", "lossy", "blind"),
    "lost": _number("Events lost."),
}
_PIPELINE: Final = {
    **_COMMON,
    "stage": _text("Stage."),
    "dead_letters": _number("Messages refused."),
    "lag_seconds": _number("How far behind the stages flows, denials and alerts are, seconds."),
}
_CAPTURE: Final = {
    "capture": _text("Identity of the capture."),
    "node": _text("Node."),
    "state": _text("pending, running, done, stopped or failed.", "pending", "running", "done", "stopped", "failed"),
    "packets": _number("Packets captured."),
    "dropped": _number("Packets that the kernel dropped."),
    "dropped_ratio": _number("Of all that matched."),
    "why": _text("Why it failed, in words."),
}
_EVENT: Final = {
    "namespace": _text("Namespace of the object."),
    "kind": _text("Kind of the object."),
    "name": _text("Name of the object."),
    "object": _text("Kind/namespace/name."),
    "type": _text("Normal or Warning.", "Normal", "Warning"),
    "why": _text("Short reason, such as BackOff."),
    "words": _text("Message."),
    "count": _number("How often."),
}
_CHANGE: Final = {
    "namespace": _text("Namespace of the object."),
    "kind": _text("Kind of the object."),
    "name": _text("Name of the object."),
    "object": _text("Kind/namespace/name."),
    "action": _text(
        "What became of it.",
        "created", "deleted", "rolled_out", "scaled", "ready", "unready", "restarted", "changed",
    ),
    "by": _text("User who did it; empty when not known."),
    "words": _text("One line."),
}  # fmt: skip
_EFFECT: Final = {
    **{name: _CHANGE[name] for name in ("namespace", "kind", "name", "object", "action", "by")},
    "stopped": _number("Edges that stopped working soon after it."),
    "started": _number("Edges that began to work soon after it."),
    "within_seconds": _number("How soon: `CONNTRAIL_ALERTS__EFFECT`."),
}
SIGNALS: Final[Mapping[str, Mapping[str, Measure]]] = MappingProxyType(
    {
        "edge": _EDGE,
        "scan": _SCAN,
        "dns": _DNS,
        "domain": _DOMAIN,
        "http": _HTTP,
        "node": _NODE,
        "pipeline": _PIPELINE,
        "capture": _CAPTURE,
        "event": _EVENT,
        "change": _CHANGE,
        "effect": _EFFECT,
    }
)
