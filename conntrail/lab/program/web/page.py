"""What the lab's HTTP server answers, by the path that is asked for. Pure."""

from dataclasses import dataclass
from typing import Final

HEAD_END: Final = b"\r\n\r\n"
_BODY: Final = b"hello from the lab\n" * 20
_SLOW_SECONDS: Final = 0.12
_PAGES: Final = (
    (b"/missing", 404, b"Not Found"),
    (b"/broken", 500, b"Internal Server Error"),
    (b"/limited", 429, b"Too Many Requests"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, and how long the server takes for it."""

    wire: bytes
    delay_seconds: float = 0.0


def page_for(head: bytes) -> Page:
    """``head``: request line and fields. A path that begins with /slow takes 120 ms."""
    words = head.split(b" ", 2)
    path = words[1] if len(words) > 1 else b"/"
    status, reason = next((page[1:] for page in _PAGES if path.startswith(page[0])), (200, b"OK"))
    line = b"HTTP/1.1 %d %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % (status, reason, len(_BODY))
    return Page(line + _BODY, _SLOW_SECONDS if path.startswith(b"/slow") else 0.0)


def body_bytes(head: bytes) -> int:
    """Length of the body that follows a head (Content-Length, RFC 9110, 8.6); 0 without one."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0
