"""DNS: which client asked for which name, what it was answered, and how long that took."""

from typing import Final

from conntrail.observe.condition import values_at
from conntrail.observe.render import Document, clock, end_name, first, human_time, text
from conntrail.observe.view.view import View
from schemas.topic import DNS
from streams.index import dataset


def _line(document: Document) -> list[str]:
    count, reason = text(document, "conntrail.count"), text(document, "event.reason")
    return [
        f"{clock(document)}: {end_name(document, 'source', with_port=False)}",
        f"-> {end_name(document, 'destination', with_port=True)}",
        f"{text(document, 'network.transport').upper()} DNS",
        text(document, "dns.question.type"),
        text(document, "dns.question.name"),
        text(document, "dns.response_code") or text(document, "event.action").upper() or "?",
        f"({reason})" if reason else "",
        f"{count}x" if count else "",
        human_time(first(document, "conntrail.latency.mean_us")),
    ]


def _cells(document: Document, is_wide: bool) -> list[str]:
    cells = [
        clock(document),
        end_name(document, "source", with_port=False),
        text(document, "dns.question.name"),
        text(document, "dns.question.type"),
        text(document, "dns.response_code") or text(document, "event.action"),
        text(document, "conntrail.count"),
        human_time(first(document, "conntrail.latency.mean_us")),
    ]
    if not is_wide:
        return cells
    return [
        *cells,
        end_name(document, "destination", with_port=True),
        text(document, "network.transport"),
        human_time(first(document, "conntrail.latency.p95_us")),
        human_time(first(document, "conntrail.latency.max_us")),
        ", ".join(str(answer) for answer in values_at(document, "dns.resolved_ip")),
        text(document, "event.action"),
        text(document, "flow.coverage"),
    ]


DNS_VIEW: Final = View(
    (DNS,),
    dataset.DNS,
    ("DNS document", "DNS documents"),
    ("time", "client", "name", "type", "code", "count", "mean"),
    ("server", "protocol", "p95", "max", "answers", "action", "coverage"),
    _line,
    _cells,
)
