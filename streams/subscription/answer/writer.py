"""What the API of alerts answers with."""

from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from streams.notice.document import text_of

NO_STORE: Final = {"Cache-Control": "no-store"}


def answer(
    document: dict[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> web.Response:
    """A document as JSON, which nobody on the way keeps."""
    more = {**NO_STORE, **(headers or {})}
    return web.Response(text=text_of(document), status=status, content_type="application/json", headers=more)


def fault(status: HTTPStatus, reason: str) -> web.Response:
    """What was wrong, in words."""
    return answer({"error": reason}, status)
