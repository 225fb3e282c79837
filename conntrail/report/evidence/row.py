"""Facts as the rows of sections."""

from collections.abc import Iterator
from typing import Final

from conntrail.policy.exposure.egress import UNENCRYPTED
from conntrail.policy.history.seen import HitKey, SeenEnd
from conntrail.report.evidence.report import stamp
from conntrail.report.evidence.section import Row
from conntrail.report.fact.change import Change, Request
from conntrail.report.fact.coverage import Span
from conntrail.report.fact.rule import RuleFigures
from conntrail.report.fact.traffic import OTHERS, Traffic
from conntrail.report.fact.workload import Direction, Reach, Workload

_DIRECTIONS: Final[tuple[Direction, Direction]] = ("ingress", "egress")


def traffic_row(traffic: Traffic) -> Row:
    """Of traffic, denials and drift alike."""
    key, outcome, figures = traffic
    is_readable = outcome.action == "allowed" and key.protocol in ("TCP", "UDP")
    return {
        "source": end_name(key.source),
        "source_kind": _kind(key.source),
        "destination": end_name(key.destination),
        "destination_kind": _kind(key.destination),
        "services": sorted(figures.services),
        "protocol": key.protocol,
        "port": key.port,
        "outcome": outcome.action,
        "verdict": outcome.verdict,
        "connections": figures.connections,
        "bytes": figures.bytes,
        "egress_policies": sorted(figures.egress),
        "ingress_policies": sorted(figures.ingress),
        "denied_by": sorted(figures.denied_by),
        "reasons": sorted(figures.reasons),
        "clear_text": UNENCRYPTED.get(key.port, "") if is_readable else "",
        "first_seen": stamp(figures.first_ms),
        "last_seen": stamp(figures.last_ms),
    }


def workload_row(end: SeenEnd, workload: Workload) -> Row:
    """One workload."""
    return {
        "workload": end_name(end),
        "kind": end.workload_kind,
        "ingress": workload.ingress.protection,
        "egress": workload.egress.protection,
        "from_outside": workload.ingress.has_outside,
        "to_outside": workload.egress.has_outside,
        "from_namespaces": sorted(workload.ingress.namespaces),
        "to_namespaces": sorted(workload.egress.namespaces),
        "denied": workload.ingress.denied + workload.egress.denied,
    }


def unprotected_rows(end: SeenEnd, workload: Workload) -> Iterator[Row]:
    """A row a direction in which traffic went through without a policy."""
    for direction in _DIRECTIONS:
        reach: Reach = getattr(workload, direction)
        if reach.bare:
            yield {
                "workload": end_name(end),
                "kind": end.workload_kind,
                "direction": direction,
                "protection": reach.protection,
                "connections": reach.connections,
                "is_outside": reach.is_bare_outside,
                "peers": sorted(reach.peers),
                "first_seen": stamp(reach.first_ms),
                "last_seen": stamp(reach.last_ms),
            }


def rule_row(key: HitKey, figures: RuleFigures) -> Row:
    """One rule."""
    return {
        "policy": f"{key.namespace}/{key.name}" if key.namespace else key.name,
        "kind": key.kind,
        "tier": key.tier,
        "direction": key.direction,
        "rule": key.rule,
        "action": key.action,
        "connections": figures.connections,
        "allowed": figures.allowed,
        "denied": figures.denied,
        "bytes": figures.bytes,
        "first_seen": stamp(figures.first_ms),
        "last_seen": stamp(figures.last_ms),
    }


def change_row(change: Change) -> Row:
    """One change."""
    return {
        "at": stamp(change.at_ms),
        "kind": change.kind,
        "object": change.object,
        "action": change.action,
        "by": change.by or "unknown",
        "before": change.before,
        "after": change.after,
        "workloads": list(change.workloads),
    }


def request_row(request: Request) -> Row:
    """One request."""
    return {
        "at": stamp(request.at_ms),
        "user": request.user,
        "verb": request.verb,
        "resource": request.resource,
        "object": request.object,
        "status": request.status,
        "decision": request.decision,
        "addresses": list(request.addresses),
        "agent": request.agent,
    }


def unseen_row(node: str, span: Span) -> Row:
    """One span."""
    return {
        "node": node,
        "from": stamp(span.start_ms),
        "until": stamp(span.end_ms),
        "sight": span.sight,
        "lost": [f"{cause}={count}" for cause, count in sorted(span.lost.items())],
        "note": span.note,
    }


def end_name(end: SeenEnd) -> str:
    """As people write it: ``namespace/name``, ``node/name``, an address."""
    if end.kind == "unknown":
        return OTHERS if end.name == OTHERS else "unknown"
    return str(end)


def _kind(end: SeenEnd) -> str:
    """Kind of a workload; else which sort of end it is."""
    return end.workload_kind or end.kind
