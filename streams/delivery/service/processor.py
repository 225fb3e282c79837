"""Sends alerts to all receivers: a task each, so that one that is slow or away holds up none of the others.

The file of receivers is looked at again and again. Who is gone from it is told no more, who is new or has changed goes
on from what has been told under that name; a file that is of no use leaves all as it is.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import mode
import structlog

from streams.compacted.reader import Reading
from streams.delivery.file.reader import ReceiverFile
from streams.delivery.processor import Delivery, Sending
from streams.delivery.reader import Leadership
from streams.delivery.told import Tally
from streams.notice.processor import NoticeFeed

_LEAD_SECONDS: Final = 1.0
_FILE_SECONDS: Final = 2.0
_log = structlog.get_logger()


class DeliveryService(mode.Service):
    """The service that a worker runs: the feed of alerts, and a task for each receiver."""

    is_assigned = True
    """Who does not send stands by, and is as ready."""

    def __init__(self, feed: NoticeFeed, sending: Sending, file: ReceiverFile, leadership: Leadership) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        self._feed = feed
        self._sending = sending
        self._file = file
        self._leadership = leadership
        self._tallies: dict[str, Tally] = {}
        self._running: dict[str, tuple[Delivery, asyncio.Future[Any]]] = {}

    def take(self, reading: Reading) -> None:
        """A Delivery, of this process or of one that sent before it; who is gone may come back."""
        if reading.record is not None:
            self._tally(reading.record["receiver"]).take(reading.record)

    async def on_start(self) -> None:
        """Follow the topics, and send."""
        self.add_future(self._watched(self._feed.run()))
        if self._file.is_there:
            self.add_future(self._watched(self._lead()))
            self._apply()
            self.add_future(self._watched(self._follow_file()))

    async def on_stop(self) -> None:
        """Stop following."""
        await self._feed.stop()

    async def _follow_file(self) -> None:
        while True:
            await asyncio.sleep(_FILE_SECONDS)
            if not await asyncio.to_thread(self._file.look):
                continue
            fault, counters = self._file.fault, self._sending.counters
            counters.files.labels("refused" if fault else "taken").inc()
            counters.file_refused.set(bool(fault))
            if fault:
                _log.error("the receivers stay as they were: the file of now is of no use", reason=fault)
            else:
                self._apply()
                _log.info("the receivers are those of the file of now", receivers=sorted(self._running))

    def _apply(self) -> None:
        """Let those run that the file names."""
        wanted = {receiver.name: receiver for receiver in self._file.receivers}
        for name, (delivery, _) in list(self._running.items()):
            if name not in wanted:
                delivery.end()
                del self._running[name]
        for name, receiver in wanted.items():
            known = self._running.get(name)
            if known is not None and known[0].receiver == receiver:
                continue
            delivery = Delivery(self._sending, receiver, self._tally(name))
            earlier = None
            if known is not None:
                known[0].end()
                earlier = known[1]
            running = self.add_future(self._watched(self._run(delivery, earlier)))
            running.add_done_callback(partial(self._ended, name))
            self._running[name] = (delivery, running)

    async def _run(self, delivery: Delivery, earlier: asyncio.Future[Any] | None) -> None:
        """After the one that had its place: what that is just telling is not told twice."""
        if earlier is not None:
            await asyncio.wait([earlier])
        await delivery.run(self._leadership)

    def _ended(self, name: str, _: asyncio.Future[Any]) -> None:
        if name not in self._running:
            self._sending.counters.forget(name)

    def _tally(self, receiver: str) -> Tally:
        return self._tallies.setdefault(receiver, Tally())

    async def _lead(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "leadership") as thread:
            try:
                await loop.run_in_executor(thread, self._leadership.start)
                while True:
                    await loop.run_in_executor(thread, self._leadership.poll, _LEAD_SECONDS)
                    self._sending.counters.leader.set(self._leadership.is_held)
            finally:
                thread.submit(self._leadership.close)

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self.failure = error
            raise
