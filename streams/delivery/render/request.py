"""One request to a receiver, and what all kinds say alike."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from streams.delivery.receiver import Receiver

Alert = Mapping[str, Any]
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """A POST."""

    url: str
    headers: dict[str, str]
    body: bytes


def json_request(url: str, document: Any, headers: Mapping[str, str] | None = None) -> Request:
    """With a document as its body."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return Request(url, {"Content-Type": JSON, **(headers or {})}, body)


def bearer(secret: str) -> dict[str, str]:
    """Header by which a secret that is a token is shown; none without one."""
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def link(receiver: Receiver, alert: Alert) -> str:
    """Where people read on; empty when it is not told."""
    return receiver.entry.link.replace("{id}", quote(alert["id"], safe=""))


def identity(alert: Alert) -> str:
    """Of what is said: the same whenever it is sent again. Fit for a header."""
    return quote(f"{alert['cluster']}/{alert['id']}/{alert['revision']}", safe="/")


def cut(text: str, letters: int) -> str:
    """No longer than a receiver takes."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def cause_lines(alert: Alert) -> list[str]:
    """Its likeliest causes, each on a line."""
    return [
        f"{cause['summary']}{' by ' + cause['by'] if cause['by'] else ''} ({cause['confidence']:.0%})"
        for cause in alert["causes"][:3]
    ]
