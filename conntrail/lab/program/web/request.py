"""One HTTP request of a client: what is sent, and what the head of its answer says. Pure."""

from dataclasses import dataclass
from typing import Final

_BODY: Final = b"x" * 64
_STATUS_WORDS: Final = 2


@dataclass(frozen=True, slots=True)
class Request:
    """As the truth has it."""

    method: str
    host: str
    path: str
    template: str
    """The path as the manifest has it, with {id} and {uuid} where identifiers stand."""
    user_agent: str
    request_id: str
    trace_parent: str
    """W3C Trace Context, traceparent."""

    def wire(self, *, is_last: bool) -> bytes:
        """Bytes to send. ``is_last``: the connection is to end with the answer."""
        body = b"" if self.method in ("GET", "HEAD", "DELETE") else _BODY
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            f"Host: {self.host}",
            f"User-Agent: {self.user_agent}",
            f"X-Request-ID: {self.request_id}",
            f"traceparent: {self.trace_parent}",
            *([f"Content-Length: {len(body)}"] if body else []),
            *(["Connection: close"] if is_last else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


def filled(template: str, number: int, unique: str) -> str:
    """A path with its identifiers."""
    return template.replace("{id}", str(number)).replace("{uuid}", unique)


def status_of(head: bytes) -> int:
    """Of a response's first line; 0 when it has none."""
    words = head.split(b" ", _STATUS_WORDS)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
