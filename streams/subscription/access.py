"""Who may ask. With a token: whoever shows it. Without, on loopback only: programs of this machine, and no web page."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from runtime.bearer import is_shown

_LOCAL: Final = ("127.0.0.1", "::1", "localhost")


def refusal(token: str, headers: Mapping[str, str]) -> str:
    """Why a request is refused, in words that tell nothing of the token; empty when it is not.

    Without a token a page in a browser could ask in the user's name: by a name of its own that resolves to loopback
    (which the Host header shows), or across origins (which Origin shows).
    """
    if token:
        return "" if is_shown(token, headers.get("Authorization", "")) else "a bearer token is needed"
    if _host(f"//{headers.get('Host', '')}") not in _LOCAL:
        return "without a token only requests to this machine by its own names are answered"
    origin = headers.get("Origin", "")
    return "" if not origin or _host(origin) in _LOCAL else "without a token no other origin is answered"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
