"""The agent's loop: wakes when the kernel has something, drains it in gulps, and closes intervals on time.

Events are let to gather for half a second, since waking for each would cost more than reading them; the buffer is
looked at meanwhile, and one that fills is read at once.
"""

import math
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import Final

import structlog

from agents.node.capability.record import Capability, describe_all
from agents.node.denial.processor import DenialLane
from agents.node.interval.processor import Publication
from agents.node.interval.schedule import Schedule, Span
from agents.node.metrics import NodeMetrics
from agents.node.watch.processor import NodeWatch
from schemas.topic import DENIALS_RAW

_GATHER_STEPS: Final = 5
_GATHER_STEP_MS: Final = 100
_BUSY_GATHER_MS: Final = 10
_BUSY_CONNECTIONS: Final = 2_000
"""So many new ones at once: more have come while they were read."""
_PUBLISH_MS: Final = 50
_IDLE_MS: Final = 500
_FLUSH_SECONDS: Final = 3.0
_STUCK_SECONDS: Final = 30.0
_LATE_INTERVALS: Final = 3
_log = structlog.get_logger()


class Cycle:
    """Runs until a signal asks it to stop."""

    def __init__(
        self,
        watch: NodeWatch,
        publications: Mapping[str, Publication],
        schedule: Callable[[int], Schedule],
        denials: DenialLane | None,
    ) -> None:
        """``publications`` by topic, without prefix, flows first.

        ``schedule`` makes the schedule that begins at an instant (Unix time, ns).
        """
        self._watch = watch
        self._publications = publications
        self._make_schedule = schedule
        self._denials = denials
        self._topics = (
            dict(publications) if denials is None else {**publications, DENIALS_RAW.name: denials.publication}
        )
        self._turned_at = time.monotonic()
        self._is_stopping = False
        self._is_started = False

    def run(self, metrics: NodeMetrics, fixed: Iterable[Capability]) -> None:
        """Watch and report; ``fixed`` are the capabilities decided before the start."""
        waker, wake = socket.socketpair()
        waker.setblocking(False)
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        known = list(fixed)
        schedule = self._make_schedule(time.time_ns())
        try:
            self._watch.start()
            self._is_started = True
            capabilities = self._note_capabilities(metrics, known, [])
            while not self._is_stopping:
                self._turn(schedule, waker.fileno(), metrics)
                capabilities = self._note_capabilities(metrics, known, capabilities)
            self._finish(schedule, metrics)
        finally:
            self._watch.close()
            for publication in self._topics.values():
                publication.writer.stop()
            signal.set_wakeup_fd(-1)
            waker.close()
            wake.close()

    def unhealthy(self) -> list[str]:
        """Why the loop cannot do its work; empty when it turns."""
        silent = time.monotonic() - self._turned_at
        return [f"the loop has not turned for {silent:.0f} s"] if silent > _STUCK_SECONDS else []

    def unready(self) -> list[str]:
        """Why reports do not arrive; empty when they do."""
        faults = [fault for own in self._topics.values() for fault in own.writer.faults()]
        if not self._is_started:
            faults.append("starting")
        late = max(len(own.spool) for own in self._publications.values())
        if late > _LATE_INTERVALS:
            faults.append(f"{late} intervals wait for Kafka")
        return faults

    def _turn(self, schedule: Schedule, waker: int, metrics: NodeMetrics) -> None:
        self._turned_at = time.monotonic()
        now_ns = time.time_ns()
        schedule.note_clock(now_ns)
        if not schedule.wait_ns(now_ns):
            self._close(schedule.cut(now_ns), metrics, is_last=False)
        for own in self._topics.values():
            own.writer.advance()
        is_busy = any(len(own.spool) and own.writer.partitions for own in self._topics.values())
        limit_ms = _PUBLISH_MS if is_busy else _IDLE_MS
        left_ms = self._wait_ns(schedule, time.time_ns()) // 1_000_000 + 1
        if self._wait(waker, min(limit_ms, left_ms)):
            self._gather(waker, left_ms)
        while self._watch.drain() > _BUSY_CONNECTIONS and not self._is_stopping:
            _poll([waker], _BUSY_GATHER_MS)
        if self._denials is not None:
            self._denials.tell(time.time_ns())

    def _wait_ns(self, schedule: Schedule, now_ns: int) -> int:
        """Until the interval ends, or a denial is due."""
        left_ns = schedule.wait_ns(now_ns)
        denial_ns = None if self._denials is None else self._denials.wait_ns(now_ns)
        return left_ns if denial_ns is None else min(left_ns, denial_ns)

    def _gather(self, waker: int, left_ms: int) -> None:
        """Let events gather, but not beyond the interval's end; a signal ends the wait at once."""
        for _ in range(_GATHER_STEPS):
            if left_ms <= 0 or self._poll([waker], min(_GATHER_STEP_MS, left_ms)) or self._watch.is_pressed():
                return
            left_ms -= _GATHER_STEP_MS

    def _wait(self, waker: int, timeout_ms: int) -> bool:
        return self._poll([waker, *self._watch.filenos()], timeout_ms)

    def _poll(self, descriptors: list[int], timeout_ms: int) -> bool:
        """Whether one of the descriptors is ready within the time; what has to be read at once is read meanwhile."""
        prompt = self._watch.prompt_filenos()
        if prompt and _poll(prompt, 0):
            self._watch.read_prompt(was_waited_for=False)
        until = time.monotonic() + timeout_ms / 1000
        while True:
            ready = _poll([*descriptors, *prompt], max(0, math.ceil((until - time.monotonic()) * 1000)))
            if not set(ready) & set(prompt):
                return bool(ready)
            self._watch.read_prompt(was_waited_for=True)
            if len(ready) > 1:
                return True
            prompt = self._watch.prompt_filenos()

    def _close(self, span: Span, metrics: NodeMetrics, *, is_last: bool) -> None:
        with metrics.close_seconds.time():
            for topic, columns in self._watch.take_reports(is_last=is_last).items():
                own = self._publications[topic]
                own.closer.close(span, columns, own.writer.partitions)

    def _finish(self, schedule: Schedule, metrics: NodeMetrics) -> None:
        _log.info("stopping: the last report is on its way")
        if self._denials is not None:
            self._denials.tell(time.time_ns(), is_last=True)
        self._close(schedule.cut_short(time.time_ns()), metrics, is_last=True)
        deadline = time.monotonic() + _FLUSH_SECONDS
        for topic, own in self._topics.items():
            if not own.writer.flush(max(0.0, deadline - time.monotonic())):
                _log.warning(
                    "stopped before Kafka took everything",
                    topic=topic,
                    intervals=len(own.spool),
                    kept=own.closer.is_kept,
                )

    def _note_capabilities(
        self, metrics: NodeMetrics, fixed: list[Capability], before: list[Capability]
    ) -> list[Capability]:
        now = [*fixed, *self._watch.capabilities()]
        if now != before:
            metrics.note_capabilities(now)
            _log.info("what this node can see", **describe_all(now))
        return now

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True


def _poll(descriptors: Iterable[int], timeout_ms: int) -> list[int]:
    """Those of the descriptors that are ready within the time."""
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in poller.poll(timeout_ms)]
