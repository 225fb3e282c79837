"""Sends alerts to one receiver, until it is told to end.

What is said is what the alert says then, so while a receiver is away nothing piles up but ids.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from schemas.topic import ALERTS
from streams.delivery.answer import Verdict, wait_seconds
from streams.delivery.counters import DeliveryCounters
from streams.delivery.item import Item
from streams.delivery.queue import DeliveryQueue
from streams.delivery.reader import Leadership
from streams.delivery.receiver import Receiver
from streams.delivery.render.alertmanager import REPEAT_SECONDS
from streams.delivery.render.render import render, together
from streams.delivery.told import Outcome, Tally, delivery, first_record, owed
from streams.delivery.writer import DeliveryTopics, ReceiverWriter
from streams.notice.document import alert_document, text_of
from streams.notice.notices import Notices
from streams.notice.reader import is_told
from streams.result.deadletter import Refused, dead_letter

_STAGE: Final = "deliveries"
_LOOK_SECONDS: Final = 1.0
"""How often it is looked whether a silence is over, or who is to send."""
_READ_TOGETHER: Final = 1_000
_AGAIN_SECONDS: Final = 86_400.0
"""How often what must last is written again: the topic drops what is a month old."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sending:
    """What all receivers have in common."""

    cluster: str
    notices: Notices
    topics: DeliveryTopics
    counters: DeliveryCounters


class Delivery:
    """One receiver."""

    def __init__(self, sending: Sending, receiver: Receiver, tally: Tally) -> None:
        self.receiver = receiver
        self._tally = tally
        self._sending = sending
        self._writer = ReceiverWriter(receiver)
        self._queue = DeliveryQueue()
        self._held: set[str] = set()
        """Alerts that a silence holds back now."""
        self._cursor = 0
        self._failures = 0
        self._pause_until = 0.0
        self._again_at = 0.0
        self._repeat_at = 0.0
        self._repeating: list[str] = []
        self._is_ending = False
        self._news = asyncio.Event()
        sending.notices.listeners.append(self._news.set)

    def end(self) -> None:
        """Let ``run`` return after the request that is under way: another has its place, or nobody."""
        self._is_ending = True
        self._news.set()

    async def run(self, leadership: Leadership) -> None:
        """Until the end, as long as this process is to send; raises WriteError when Kafka does not take what became
        of it.
        """
        try:
            while not self._is_ending:
                self._news.clear()
                if leadership.is_held:
                    await self._step()
                else:
                    self._cursor = 0  # what others told meanwhile is in the tally
                wait = self._wait(time.monotonic()) if leadership.is_held else _LOOK_SECONDS
                await is_told(self._news, 0 if self._is_ending else wait)
        finally:
            self._sending.notices.listeners.remove(self._news.set)
            await self._writer.close()

    async def _step(self) -> None:
        """Everything that can be sent now."""
        await self._keep()
        self._note_news()
        while (
            not self._is_ending
            and time.monotonic() >= self._pause_until
            and (items := self._next() or self._repeated())
        ):
            await self._try(items)
            self._note_news()
        self._figure(self._sending.counters.waiting).set(len(self._queue))
        self._figure(self._sending.counters.held).set(len(self._held))

    async def _keep(self) -> None:
        """Write down since when the receiver is there, and now and then what must last."""
        if self._tally.since_ns is None:
            self._tally.take(first_record(self._sending.cluster, self.receiver.name, time.time_ns()))
        if time.monotonic() >= self._again_at:
            for record in self._tally.lasting(self._sending.cluster, self.receiver.name):
                if not record["alert_id"] or self._sending.notices.book.get(record["alert_id"]) is not None:
                    await self._sending.topics.note(record)
            self._again_at = time.monotonic() + _AGAIN_SECONDS

    def _note_news(self) -> None:
        book = self._sending.notices.book
        while words := book.after(self._cursor, _READ_TOGETHER):
            for word in words:
                self._add(word.alert["id"])
            self._cursor = words[-1].sequence
        for alert_id in self._held:
            self._add(alert_id)
        self._held = set()

    def _add(self, alert_id: str) -> None:
        if not self._queue.add(alert_id, time.monotonic()):
            self._figure(self._sending.counters.dropped).inc()

    def _next(self) -> list[Item]:
        """What to send in one request; what is owed nothing leaves the queue."""
        while ready := self._queue.ready(time.monotonic(), together(self.receiver)):
            items = [item for item in map(self._item, ready) if item is not None]
            if items:
                return items
        return []

    def _item(self, alert_id: str) -> Item | None:
        word = self._sending.notices.book.get(alert_id)
        if word is None:
            self._queue.done(alert_id)
            return None
        is_silenced = self._sending.notices.is_silenced(word.alert, time.time_ns())
        action = owed(self.receiver, word.alert, self._tally, is_silenced=is_silenced)
        if action is not None:
            return Item(word.alert, action)
        self._queue.done(alert_id)
        if is_silenced and word.alert["status"] != "resolved":
            self._held.add(alert_id)
        return None

    def _repeated(self) -> list[Item]:
        """To an Alertmanager, all that is open, once a minute."""
        now = time.monotonic()
        if self.receiver.entry.kind == "alertmanager" and now >= self._repeat_at:
            self._repeat_at = now + REPEAT_SECONDS
            self._repeating = [word.alert["id"] for word in self._sending.notices.book.alerts()]
        items: list[Item] = []
        while self._repeating and len(items) < together(self.receiver):
            word = self._sending.notices.book.get(self._repeating.pop())
            if word is not None and self._is_told(word.alert) and word.alert["status"] != "resolved":
                items.append(Item(word.alert, "update"))
        return items

    def _is_told(self, alert: Mapping[str, Any]) -> bool:
        """Whether the receiver has it as open, as it is now."""
        told = self._tally.get(alert["id"])
        return told is not None and told.is_open and told.revision >= alert["revision"]

    async def _try(self, items: Sequence[Item]) -> None:
        verdict = await self._writer.send(render(self.receiver, items, time.time_ns()))
        if verdict.kind == "taken":
            await self._settle(items)
        elif verdict.kind == "later":
            await self._postpone(items, verdict)
        elif len(items) > 1:  # one of them may be at fault
            for item in items:
                await self._try([item])
        else:
            self._failures = 0
            await self._bury(items[0], verdict.reason)

    async def _settle(self, items: Sequence[Item]) -> None:
        self._failures = 0
        for item in items:
            if item.action != "update" or not self._is_told(item.alert):  # else it was repeated
                self._figure(self._sending.counters.delivered).inc()
                await self._finish(item, "delivered")

    async def _postpone(self, items: Sequence[Item], verdict: Verdict) -> None:
        """The alerts stand back, and the receiver is left alone for a while."""
        now = time.monotonic()
        self._failures += 1
        self._figure(self._sending.counters.failures).inc()
        if self._failures == 1:
            _log.warning("an alert was not taken", receiver=self.receiver.name, reason=verdict.reason)
        chance = random.random()  # noqa: S311 - spreads tries, hides nothing
        asked = verdict.wait_seconds
        self._pause_until = now + (wait_seconds(self._failures, chance) if asked is None else asked)
        for item in items:
            waiting = self._queue.failed(item.alert["id"], now)
            waiting.not_before = now + wait_seconds(waiting.failures, chance)
        limit = self.receiver.entry.give_up
        for alert_id in self._queue.older(now, limit):
            late = self._item(alert_id)
            if late is not None:
                await self._bury(late, f"given up after {limit:g} s: {verdict.reason}")

    async def _finish(self, item: Item, outcome: Outcome) -> None:
        told = self._tally.get(item.alert["id"])
        record = delivery(self.receiver, item, outcome, time.time_ns(), told)
        await self._sending.topics.note(record)
        self._tally.take(record)
        self._queue.done(item.alert["id"])

    async def _bury(self, item: Item, reason: str) -> None:
        if self._is_told(item.alert):
            return  # only a repetition
        self._figure(self._sending.counters.dead).inc()
        _log.warning("an alert is given up", receiver=self.receiver.name, alert=item.alert["id"], reason=reason)
        await self._sending.topics.bury(ALERTS.name, self._letter(item, reason))
        await self._finish(item, "dead")

    def _letter(self, item: Item, reason: str) -> dict[str, Any]:
        word = self._sending.notices.book.get(item.alert["id"])
        place = (word.partition, word.offset) if word is not None else (0, 0)
        value = text_of(alert_document(item.alert)).encode()
        told = f"receiver {self.receiver.name}: {reason}"
        refused = Refused(_STAGE, told, ALERTS.name, *place, item.alert["id"].encode(), value)
        return dead_letter(self._sending.cluster, refused, time.time_ns())

    def _wait(self, now: float) -> float:
        """Seconds until there may be something to do."""
        return min(max(self._queue.next_at() - now, self._pause_until - now, 0.0), _LOOK_SECONDS)

    def _figure(self, figure: Any) -> Any:
        return figure.labels(self.receiver.name)
