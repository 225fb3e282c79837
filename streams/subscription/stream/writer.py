"""Streams of alerts: server-sent events and WebSocket.

A stream holds nothing but a place in the book of alerts, so a slow reader costs a socket buffer, until it is cut.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from aiohttp import WSCloseCode, web

from streams.notice.book import AlertBook
from streams.notice.document import alert_document
from streams.notice.reader import is_told
from streams.subscription import event_stream
from streams.subscription.answer.writer import NO_STORE, fault
from streams.subscription.counters import SubscriptionCounters
from streams.subscription.request import parse_subscription
from streams.subscription.subscription import Subscription

_MAXIMUM_STREAMS: Final = 500
_MAXIMUM_COMMAND: Final = 4 << 10
_HEARTBEAT_SECONDS: Final = 15.0
_WRITE_SECONDS: Final = 30.0


class News:
    """Wakes whoever waits. Who takes the mark before looking misses nothing that comes in between."""

    def __init__(self) -> None:
        self.mark = asyncio.Event()

    def tell(self) -> None:
        """Something is new."""
        self.mark.set()
        self.mark = asyncio.Event()


class Streams:
    """All that are open."""

    def __init__(self, book: AlertBook, counters: SubscriptionCounters, news: News) -> None:
        self._book = book
        self._counters = counters
        self._news = news
        self._open = 0

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events, until the client leaves."""
        async with self._place("sse") as has_place:
            if not has_place:
                return fault(HTTPStatus.SERVICE_UNAVAILABLE, "too many streams are open")
            subscription = self._subscription(request)
            headers = {"Content-Type": event_stream.MEDIA_TYPE, "X-Accel-Buffering": "no", **NO_STORE}
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            await self._feed_stream(request, response, subscription)
            return response

    async def _feed_stream(
        self, request: web.Request, response: web.StreamResponse, subscription: Subscription
    ) -> None:
        async def send(chunk: bytes) -> None:
            async with asyncio.timeout(_WRITE_SECONDS):
                await response.write(chunk)

        try:
            await send(event_stream.opening())
            if subscription.has_gap:
                await send(event_stream.event("gap", event_stream.GAP, subscription.position))
            while True:
                mark = self._news.mark
                words = subscription.take()
                if words:
                    await send(b"".join(event_stream.event("alert", word.text, after) for word, after in words))
                    self._counters.sent.labels("sse").inc(len(words))
                elif not await is_told(mark, _HEARTBEAT_SECONDS):
                    await send(event_stream.heartbeat(subscription.position))
        except TimeoutError:
            self._cut(request, "sse")
        except ConnectionError:
            return  # the client left

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """The same by WebSocket."""
        async with self._place("websocket") as has_place:
            if not has_place:
                return fault(HTTPStatus.SERVICE_UNAVAILABLE, "too many streams are open")
            subscription = self._subscription(request)
            socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_MAXIMUM_COMMAND)
            await socket.prepare(request)
            writing = asyncio.create_task(self._feed_socket(request, socket, subscription))
            try:
                async for _ in socket:  # nothing is expected, but only who reads learns that the client left
                    pass
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
                await socket.close(code=WSCloseCode.GOING_AWAY)
            return socket

    async def _feed_socket(
        self, request: web.Request, socket: web.WebSocketResponse, subscription: Subscription
    ) -> None:
        try:
            if subscription.has_gap:
                await socket.send_str(event_stream.message("gap", subscription.position, None))
            while True:
                mark = self._news.mark
                words = subscription.take()
                for word, after in words:
                    text = event_stream.message("alert", after, alert_document(word.alert))
                    async with asyncio.timeout(_WRITE_SECONDS):
                        await socket.send_str(text)
                    self._counters.sent.labels("websocket").inc()
                if not words:
                    await is_told(mark, _HEARTBEAT_SECONDS)
        except TimeoutError:
            self._cut(request, "websocket")
        except ConnectionError:
            return  # the client left

    def _subscription(self, request: web.Request) -> Subscription:
        last_event_id = request.headers.get("Last-Event-ID", "")
        return parse_subscription(request.query.items(), last_event_id, self._book)

    @asynccontextmanager
    async def _place(self, kind: str) -> AsyncIterator[bool]:
        """One of the streams that may be open at once."""
        if self._open >= _MAXIMUM_STREAMS:
            yield False
            return
        self._open += 1
        figure = self._counters.subscribers.labels(kind)
        figure.inc()
        try:
            yield True
        finally:
            self._open -= 1
            figure.dec()

    def _cut(self, request: web.Request, kind: str) -> None:
        """It may come again with its last event id, and has missed nothing."""
        self._counters.slow.labels(kind).inc()
        if request.transport is not None:
            request.transport.abort()
