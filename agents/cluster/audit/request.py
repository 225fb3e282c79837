"""What a request to the audit webhook must bring before its body is read."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SCHEME: Final = "bearer"


@dataclass(frozen=True, slots=True)
class Refusal:
    """HTTP status and words."""

    status: int
    words: str


def body_size(headers: Mapping[str, str], token: str, most: int) -> int | Refusal:
    """Size of the body in bytes, or why the request is refused. ``most``: bytes of a body."""
    given = headers.get("Authorization", "")
    scheme, _, secret = given.partition(" ")
    is_known = hmac.compare_digest(secret.strip().encode("utf-8", "replace"), token.encode("utf-8", "replace"))
    if token and not (scheme.lower() == _SCHEME and is_known):
        return Refusal(401, "give the token of CONNTRAIL_AUDIT__TOKEN as a bearer token")
    text = headers.get("Content-Length", "")
    if headers.get("Transfer-Encoding") or not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004
        return Refusal(411, "give the body's length")
    size = int(text)
    if size > most:
        return Refusal(413, f"a body of more than {most} bytes: raise CONNTRAIL_AUDIT__MAXIMUM_BODY, or send less")
    return size
