"""Flows: who talked to whom, whether it was allowed, and by which policy."""

from typing import Final

from conntrail.observe.condition import values_at
from conntrail.observe.render import Document, clock, end_name, first, human_bytes, service_name, text
from conntrail.observe.view.view import View
from schemas.topic import FLOWS
from streams.index.dataset import FLOW


def _decided_by(document: Document) -> str:
    """The policies behind a verdict, the denying ones first."""
    policies = values_at(document, "policy.denied_by") or [
        *values_at(document, "policy.ingress.policies"),
        *values_at(document, "policy.egress.policies"),
    ]
    return ", ".join(str(policy) for policy in policies)


def _line(document: Document) -> list[str]:
    """Time, ends, protocol, verdict, by what."""
    action = (text(document, "event.action") or "?").upper()
    by = _decided_by(document) if action == "DENIED" else ""
    reason = text(document, "event.reason") if action != "ALLOWED" else ""
    service, domain = service_name(document), text(document, "destination.domain")
    return [
        f"{clock(document)}: {end_name(document, 'source', with_port=True)}",
        f"-> {end_name(document, 'destination', with_port=True)}",
        f"(service {service})" if service else f"({domain})" if domain else "",
        text(document, "network.transport").upper(),
        action,
        f"by {by}" if by else "",
        f"({reason})" if reason else "",
        human_bytes(first(document, "network.bytes")),
    ]


def _cells(document: Document, is_wide: bool) -> list[str]:
    is_denied = first(document, "event.action") == "denied"
    cells = [
        clock(document),
        end_name(document, "source", with_port=is_wide),
        end_name(document, "destination", with_port=True),
        text(document, "network.transport"),
        text(document, "event.action"),
        human_bytes(first(document, "network.bytes")),
        _decided_by(document) if is_denied else text(document, "event.reason"),
    ]
    if not is_wide:
        return cells
    rtt = text(document, "tcp.rtt_us")
    return [
        *cells,
        text(document, "source.process.name"),
        service_name(document),
        text(document, "destination.domain"),
        _decided_by(document),
        f"{rtt} µs" if rtt else "",
        text(document, "flow.reporter"),
        text(document, "flow.coverage"),
        text(document, "flow.id"),
    ]


FLOW_VIEW: Final = View(
    (FLOWS,),
    FLOW,
    ("flow", "flows"),
    ("time", "source", "destination", "protocol", "verdict", "bytes", "reason"),
    ("process", "service", "domain", "policies", "rtt", "reporter", "coverage", "flow"),
    _line,
    _cells,
)
