"""Keeps the books of alerts and silences as their topics go on. What cannot be read goes to the dead letters."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from schemas.topic import DEAD_LETTER
from streams.compacted.reader import CompactedReader, Reading
from streams.notice.counters import NoticeCounters
from streams.notice.notices import Notices
from streams.result.deadletter import Refused, dead_letter
from streams.result.writer import ResultWriter

Taker = Callable[[Reading], None]
_POLL_SECONDS: Final = 0.5
_STAGE: Final = "notice"


class NoticeFeed:
    """Inert until ``start``, which reads everything; ``run`` goes on with what comes."""

    def __init__(self, cluster: str, writer: ResultWriter, counters: NoticeCounters) -> None:
        """``writer`` takes the dead letters."""
        self.notices = Notices()
        self._cluster = cluster
        self._followed: list[tuple[CompactedReader, Taker]] = []
        self._writer = writer
        self._counters = counters
        self._letters: list[Reading] = []
        self._running: asyncio.Task[None] | None = None

    def follow(self, reader: CompactedReader, take: Taker) -> None:
        """Follow this topic too; to be said before ``start``."""
        self._followed.append((reader, take))

    def start(self) -> None:
        """Read the topics. Raises ReadError."""
        for reader, take in self._followed:
            for readings in reader.start():
                self._take(readings, reader.topic.name, take)

    async def run(self) -> None:
        """Until stopped. Several stages may run it: it runs once. Raises ReadError when it cannot go on."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await asyncio.shield(self._running)

    async def stop(self) -> None:
        """End ``run``, and disconnect."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        with ThreadPoolExecutor(len(self._followed), "notice") as threads:
            try:
                await asyncio.gather(*(self._follow(threads, *pair) for pair in self._followed))
            finally:
                # A thread may still be polling, so each closes what it has read.
                for reader, _ in self._followed:
                    threads.submit(reader.close)

    async def _follow(self, threads: ThreadPoolExecutor, reader: CompactedReader, take: Taker) -> None:
        loop = asyncio.get_running_loop()
        while True:
            readings = await loop.run_in_executor(threads, reader.take, _POLL_SECONDS)
            self._take(readings, reader.topic.name, take)
            await self._send_letters()

    def _take(self, readings: list[Reading], topic: str, take: Taker) -> None:
        for reading in readings:
            if reading.fault:
                self._counters.unusable.labels(topic).inc()
                self._letters.append(reading)
            else:
                self._counters.records.labels(topic).inc()
                take(reading)
        self._counters.alerts.set(self.notices.book.count)
        self._counters.dropped.set(self.notices.book.dropped)
        if readings:
            self.notices.tell()

    def take_alert(self, reading: Reading) -> None:
        """Of the topic of alerts."""
        self.notices.take_alert(reading.partition, reading.offset, reading.name, reading.record)

    def take_silence(self, reading: Reading) -> None:
        """Of the topic of silences."""
        self.notices.take_silence(reading.name, reading.record)

    async def _send_letters(self) -> None:
        while self._letters:
            reading = self._letters.pop()
            refused = Refused(_STAGE, reading.fault, *reading[:5])
            await self._writer.send(DEAD_LETTER, reading.topic, dead_letter(self._cluster, refused, time.time_ns()))
