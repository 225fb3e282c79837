"""Application exchanges: HTTP requests by path template and status, and whom TLS clients say they call."""

from typing import Final

from conntrail.observe.condition import values_at
from conntrail.observe.render import Document, clock, end_name, first, human_time, text
from conntrail.observe.view.view import View
from schemas.topic import L7
from streams.index import dataset


def _request(document: Document) -> str:
    """Method and path, or the name that a TLS client called."""
    words = [text(document, "http.request.method"), text(document, "url.path")]
    return " ".join(word for word in words if word) or text(document, "tls.client.server_name")


def _status(document: Document) -> str:
    return text(document, "http.response.status_code") or text(document, "event.action")


def _line(document: Document) -> list[str]:
    count, reason = text(document, "conntrail.count"), text(document, "event.reason")
    return [
        f"{clock(document)}: {end_name(document, 'source', with_port=False)}",
        f"-> {end_name(document, 'destination', with_port=True)}",
        text(document, "network.protocol").upper(),
        text(document, "url.domain"),
        _request(document),
        _status(document),
        f"({reason})" if reason else "",
        f"{count}x" if count else "",
        human_time(first(document, "conntrail.latency.p95_us")),
    ]


def _cells(document: Document, is_wide: bool) -> list[str]:
    cells = [
        clock(document),
        end_name(document, "source", with_port=False),
        end_name(document, "destination", with_port=True),
        text(document, "network.protocol"),
        _request(document),
        _status(document),
        text(document, "conntrail.count"),
        human_time(first(document, "conntrail.latency.p95_us")),
    ]
    if not is_wide:
        return cells
    return [
        *cells,
        text(document, "url.domain"),
        human_time(first(document, "conntrail.latency.mean_us")),
        human_time(first(document, "conntrail.latency.max_us")),
        text(document, "http.version") or text(document, "tls.version"),
        ", ".join(str(offered) for offered in values_at(document, "conntrail.tls.alpn")),
        text(document, "conntrail.tls.ja4"),
        text(document, "http.request.id"),
        text(document, "user_agent.original"),
        text(document, "flow.coverage"),
    ]


APPLICATION_VIEW: Final = View(
    (L7,),
    dataset.L7,
    ("application document", "application documents"),
    ("time", "source", "destination", "protocol", "request", "status", "count", "p95"),
    ("host", "mean", "max", "version", "alpn", "ja4", "request id", "user agent", "coverage"),
    _line,
    _cells,
)
