"""The HTTP API of alerts and silences, as openapi.json beside this file describes it; a test holds one to the other."""

import asyncio
import json
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

import structlog
from aiohttp import web

from runtime.settings import ApiSettings
from runtime.writer import write_address
from streams.errors import StreamError, WriteError
from streams.notice.document import alert_document, silence_document
from streams.notice.notices import Notices
from streams.notice.position import position_text
from streams.notice.reader import is_told
from streams.notice.silence import MAXIMUM_SILENCES, SilenceError, ended, make_silence
from streams.subscription.access import refusal
from streams.subscription.answer.writer import answer, fault
from streams.subscription.counters import SubscriptionCounters
from streams.subscription.request import RequestError, listed, parse_listing, parse_wish
from streams.subscription.stream.writer import News, Streams
from streams.subscription.writer import SilenceWriter

BASE: Final = "/api/v1"
_DESCRIPTION: Final = f"{BASE}/openapi.json"
_MAXIMUM_BODY: Final = 64 << 10
_SEEN_SECONDS: Final = 5.0
_LEAVE_SECONDS: Final = 1.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API is made of."""

    cluster: str
    settings: ApiSettings
    notices: Notices
    writer: SilenceWriter
    counters: SubscriptionCounters


class ApiServer:
    """One address. Inert until ``start``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._notices = parts.notices
        self._news = News()
        parts.notices.listeners.append(self._news.tell)
        self._streams = Streams(parts.notices.book, parts.counters, self._news)
        self._runner: web.AppRunner | None = None

    def application(self) -> web.Application:
        """Routes and who may ask for them."""
        application = web.Application(middlewares=[self._guard], client_max_size=_MAXIMUM_BODY)
        router = application.router
        router.add_get(f"{BASE}/alerts", self._list_alerts, allow_head=False)
        router.add_get(f"{BASE}/alerts/stream", self._streams.stream, allow_head=False)
        router.add_get(f"{BASE}/alerts/ws", self._streams.socket, allow_head=False)
        router.add_get(f"{BASE}/alerts/{{id}}", self._show_alert, allow_head=False)
        router.add_get(f"{BASE}/silences", self._list_silences, allow_head=False)
        router.add_post(f"{BASE}/silences", self._make_silence)
        router.add_get(f"{BASE}/silences/{{id}}", self._show_silence, allow_head=False)
        router.add_delete(f"{BASE}/silences/{{id}}", self._end_silence)
        router.add_get(_DESCRIPTION, _describe, allow_head=False)
        return application

    async def start(self) -> None:
        """Listen. Raises StreamError when the address is taken or the certificate is of no use."""
        settings = self._parts.settings
        host, _, port = settings.address.rpartition(":")
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=_LEAVE_SECONDS)
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, host.strip("[]"), int(port), ssl_context=_encryption(settings))
            await site.start()
        except (OSError, ValueError) as error:
            raise StreamError(f"CONNTRAIL_API__ADDRESS={settings.address}: {error}") from error
        address = f"{host}:{self._runner.addresses[0][1]}"
        _log.info("serving alerts", address=address)
        if settings.address_file:
            await asyncio.to_thread(write_address, settings.address_file, address)

    async def stop(self) -> None:
        """Stop listening, and end the streams."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await self._answer(request, handler)
        self._parts.counters.requests.labels(str(response.status)).inc()
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        reason = "" if request.path == _DESCRIPTION else refusal(self._parts.settings.token, request.headers)
        if reason:
            refused = fault(HTTPStatus.UNAUTHORIZED, reason)
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        try:
            return await handler(request)
        except (RequestError, SilenceError) as error:
            return fault(HTTPStatus.BAD_REQUEST, str(error))
        except WriteError as error:
            return fault(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except web.HTTPException as error:
            return fault(HTTPStatus(error.status), error.reason)

    async def _list_alerts(self, request: web.Request) -> web.Response:
        words, has_more = listed(self._notices.book, parse_listing(request.query.items()))
        alerts = [alert_document(word.alert) for word in words]
        position = position_text(self._notices.book.position)
        return answer({"alerts": alerts, "has_more": has_more, "position": position})

    async def _show_alert(self, request: web.Request) -> web.Response:
        word = self._notices.book.get(request.match_info["id"])
        if word is None:
            return fault(HTTPStatus.NOT_FOUND, "no such alert is known")
        return answer(alert_document(word.alert))

    async def _list_silences(self, _request: web.Request) -> web.Response:
        now_ns = time.time_ns()
        ordered = sorted(self._notices.silences.values(), key=lambda silence: -int(silence["ends_at_ns"]))
        return answer({"silences": [silence_document(silence, now_ns) for silence in ordered]})

    async def _make_silence(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":  # what a page of another origin cannot send unasked
            return fault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected content-type application/json")
        now_ns = time.time_ns()
        silence = make_silence(uuid.uuid4().hex, self._parts.cluster, parse_wish(await request.read()), now_ns)
        lasting = sum(one["ends_at_ns"] > now_ns for one in self._notices.silences.values())
        if lasting >= MAXIMUM_SILENCES:
            return fault(HTTPStatus.CONFLICT, f"{MAXIMUM_SILENCES} silences last already: end some")
        await self._keep(silence)
        location = {"Location": f"{BASE}/silences/{silence['id']}"}
        return answer(silence_document(silence, now_ns), HTTPStatus.CREATED, location)

    async def _show_silence(self, request: web.Request) -> web.Response:
        silence = self._notices.silences.get(request.match_info["id"])
        if silence is None:
            return fault(HTTPStatus.NOT_FOUND, "no such silence is known")
        return answer(silence_document(silence, time.time_ns()))

    async def _end_silence(self, request: web.Request) -> web.Response:
        silence = self._notices.silences.get(request.match_info["id"])
        if silence is None:
            return fault(HTTPStatus.NOT_FOUND, "no such silence is known")
        over = ended(silence, time.time_ns())
        await self._keep(over)
        return answer(silence_document(over, time.time_ns()))

    async def _keep(self, silence: dict[str, Any]) -> None:
        """Written, and in our own book too, so that whoever lists next sees it."""
        await self._parts.writer.write(silence)
        deadline = time.monotonic() + _SEEN_SECONDS
        while time.monotonic() < deadline:
            mark = self._news.mark
            if self._notices.silences.get(silence["id"]) == silence:
                return
            await is_told(mark, _SEEN_SECONDS)


async def _describe(_request: web.Request) -> web.Response:
    return answer(description())


def description() -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = json.loads(files("streams.subscription").joinpath("openapi.json").read_text("utf-8"))
    return document


def _encryption(settings: ApiSettings) -> ssl.SSLContext | None:
    if not settings.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certificate, settings.key)
    return context
