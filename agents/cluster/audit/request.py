"""What a request to the audit webhook must bring before its body is read."""

from dataclasses import dataclass
from email.message import Message

from runtime.bearer import is_shown


@dataclass(frozen=True, slots=True)
class Refusal:
    """HTTP status and words."""

    status: int
    words: str


def body_size(headers: Message, token: str, most: int) -> int | Refusal:
    """Size of the body in bytes, or why the request is refused. Names of headers are taken in any case.

    ``most``: bytes of a body.
    """
    if token and not is_shown(token, headers.get("Authorization", "")):
        return Refusal(401, "give the token of CONNTRAIL_AUDIT__TOKEN as a bearer token")
    text = headers.get("Content-Length", "")
    if headers.get("Transfer-Encoding") or not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004
        return Refusal(411, "give the body's length")
    size = int(text)
    if size > most:
        return Refusal(413, f"a body of more than {most} bytes: raise CONNTRAIL_AUDIT__MAXIMUM_BODY, or send less")
    return size
