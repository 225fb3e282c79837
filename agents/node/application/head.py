"""What the heads of HTTP messages say, whichever version they are written in."""

from typing import Final, NamedTuple

HOST_LENGTH: Final = 253
USER_AGENT_LENGTH: Final = 256
IDENTIFIER_LENGTH: Final = 128
METHOD_LENGTH: Final = 32
PATH_LENGTH: Final = 2048
CONTENT_TYPE_LENGTH: Final = 64
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


class RequestHead(NamedTuple):
    """Texts are cut to the lengths above; empty where they are missing or lie behind the cut.

    A tuple, as there are thousands a second: a frozen dataclass takes four times as long to make.
    """

    method: str = ""
    host: str = ""
    path: str = ""
    """With its query, until that is dropped; without scheme and authority."""
    version: str = ""
    user_agent: str = ""
    request_id: str = ""
    trace_parent: str = ""
    content_type: str = ""
    is_path_cut: bool = False
    """The path went on behind the end of the packet."""
    message_bytes: int = -1
    """Head and body, where the head tells; else -1."""


class ResponseHead(NamedTuple):
    """``message_bytes`` counts the body that Content-Length tells, which answers to HEAD do not have."""

    status: int
    version: str
    head_bytes: int = -1
    """-1 where it is not known."""
    message_bytes: int = -1


def clean_text(value: bytes, length: int) -> str:
    """At most ``length`` characters; bytes that are no UTF-8, and what would move a terminal's cursor, are replaced."""
    if len(value) > length:  # no character has more than four bytes
        text = value[: 4 * length].decode("utf-8", "replace").strip()[:length]
    else:
        text = value.decode("utf-8", "replace").strip() if value else ""
    return text if text.isprintable() else "".join(one if one.isprintable() else _REPLACED for one in text)


def split_target(target: str, is_connect: bool) -> tuple[str, str]:
    """Authority, without user and password, and path of a request target (RFC 9112, 3.2)."""
    if is_connect:
        return target.rpartition("@")[2][:HOST_LENGTH], ""
    if target.startswith("/") or target == "*":
        return "", target
    scheme, has_scheme, rest = target.partition("://")
    if not has_scheme or not scheme.isalnum():
        return "", target
    ends = [at for at in (rest.find("/"), rest.find("?")) if at >= 0]
    authority = rest[: min(ends, default=len(rest))]
    path = rest[len(authority) :]
    return authority.rpartition("@")[2][:HOST_LENGTH], path if path.startswith("/") else f"/{path}"
