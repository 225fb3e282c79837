"""Lines of an event stream (WHATWG HTML, "Server-sent events"). Data is JSON on one line, so nothing can break out."""

from collections.abc import Mapping
from typing import Final

from streams.notice.document import text_of
from streams.notice.position import Position, position_text

MEDIA_TYPE: Final = "text/event-stream"
_RETRY_MS: Final = 2_000
GAP: Final = text_of({"reason": "alerts between your position and the next event are not known any more: list them"})


def opening() -> bytes:
    """When a client whose connection broke is to come again."""
    return f"retry: {_RETRY_MS}\n\n".encode()


def event(kind: str, text: str, position: Position) -> bytes:
    """One event; its id is the position after it."""
    return f"event: {kind}\nid: {position_text(position)}\ndata: {text}\n\n".encode()


def heartbeat(position: Position) -> bytes:
    """Dispatches nothing, but moves the client's last event id past what was not asked for."""
    return f": alive\nid: {position_text(position)}\n\n".encode()


def message(kind: str, position: Position, alert: Mapping[str, object] | None) -> str:
    """The same for a WebSocket."""
    return text_of({"type": kind, "position": position_text(position), "alert": alert})
