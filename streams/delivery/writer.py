"""Sends requests to receivers, and writes what became of them to Kafka. Neither proxies nor redirections are taken."""

import ssl
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp

from runtime.reader import certificates
from schemas.topic import ALERT_DELIVERIES, DEAD_LETTER
from streams.delivery.answer import Verdict, judge
from streams.delivery.receiver import Receiver
from streams.delivery.render.request import Request
from streams.result.writer import ResultWriter

_KEPT_BYTES: Final = 1_000
"""Of an answer; whoever sends more is not listened to."""


class ReceiverWriter:
    """One receiver. Connects when there is something to send; must be used in a running loop."""

    def __init__(self, receiver: Receiver) -> None:
        """Raise SettingsError when its authorities are of no use."""
        self._receiver = receiver
        self._context = _trust(receiver)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Verdict:
        """One try, within the receiver's time; whatever the network does to it is a verdict."""
        session = self._connected()
        try:
            async with session.post(
                request.url, data=request.body, headers=request.headers, allow_redirects=False
            ) as answer:
                body = (await answer.content.read(_KEPT_BYTES)).decode(errors="replace")
                return judge(answer.status, answer.headers, body, datetime.now(UTC))
        except TimeoutError:
            return Verdict("later", f"no answer within {self._receiver.entry.timeout:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The URL may be a secret (Slack), so no words of the library's, which repeat it.
            return Verdict("later", f"no connection ({type(error).__name__}{_number(error)})")

    async def close(self) -> None:
        """Disconnect."""
        if self._session is not None:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1, ssl=self._context),
                timeout=aiohttp.ClientTimeout(total=self._receiver.entry.timeout),
                headers={"User-Agent": "conntrail"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


class DeliveryTopics:
    """What became of deliveries."""

    def __init__(self, writer: ResultWriter) -> None:
        self._writer = writer

    async def note(self, record: dict[str, Any]) -> None:
        """Return when Kafka has a Delivery, however long that takes: else it would be sent again after a restart."""
        await self._writer.send(ALERT_DELIVERIES, f"{record['receiver']}/{record['alert_id']}", record)
        await self._writer.delivered()

    async def bury(self, key: str, letter: dict[str, Any]) -> None:
        """Queue a DeadLetter; ``note`` waits for it too."""
        await self._writer.send(DEAD_LETTER, key, letter)


def _trust(receiver: Receiver) -> ssl.SSLContext:
    return certificates(f"receiver {receiver.name}: ca_certs", receiver.entry.ca_certs)


def _number(error: BaseException) -> str:
    number = getattr(error, "errno", None) or getattr(getattr(error, "os_error", None), "errno", None)
    return f", errno {number}" if number else ""
