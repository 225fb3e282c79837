"""Sends spooled intervals to Kafka in order, and lets go of them when every message is confirmed.

Messages never expire in librdkafka and its idempotent producer keeps their order, so an outage needs no action
here. A rejection (topic deleted, right withdrawn, fatal error) ends the producer; a new one starts after a pause
and sends again from the oldest unconfirmed interval on, under the same identity.
"""

import time
from collections import deque
from dataclasses import dataclass
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from agents.errors import AgentError
from agents.publish.interval import Interval, IntervalEncoder
from agents.publish.interval import Message as IntervalMessage
from agents.publish.metrics import PublishMetrics
from agents.publish.spool import Spool, Storage
from agents.publish.topic.reader import PartitionReader
from runtime.broker.reader import Refusals
from runtime.kafka import Configuration
from schemas.errors import SchemaError

_WINDOW_BYTES = 4 << 20
"""Under way at most: enough to catch up quickly, little enough to hold twice."""
_QUEUE_KIBIBYTES = 16 << 10
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_PURGE_SECONDS = 1.0
_OUTAGES = {
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - librdkafka's name; a single lost connection is no outage
    KafkaError._AUTHENTICATION,  # noqa: SLF001 - the same
    KafkaError._SSL,  # noqa: SLF001 - the same
    KafkaError._RESOLVE,  # noqa: SLF001 - the same
}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where intervals go."""

    configuration: Configuration
    topic: str
    key: bytes


class IntervalWriter:
    """Publishes one process's intervals to one topic. Inert until ``start``."""

    def __init__(
        self,
        destination: Destination,
        spool: Spool,
        storage: Storage,
        encoder: IntervalEncoder,
        metrics: PublishMetrics,
    ) -> None:
        self._configuration = _complete(destination.configuration) | {"error_cb": self._note_error}
        self._destination = destination
        self._spool = spool
        self._storage = storage
        self._encoder = encoder
        self._metrics = metrics
        self._reader = PartitionReader(destination.topic)
        self._producer: Producer | None = None
        self._queue: deque[tuple[int, int, IntervalMessage]] = deque()
        self._bytes_under_way = 0
        self._rejection = ""
        self._outage = ""
        self._refusals = Refusals()
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._start_at = 0.0

    @property
    def partitions(self) -> int:
        """Partitions of the topic; 0 while they are not known."""
        return self._reader.partitions

    def start(self) -> None:
        """Connect. Raises AgentError when the configuration is unusable."""
        try:
            self._producer = Producer(self._configuration)
        except (KafkaException, ValueError) as error:
            raise AgentError(f"Kafka: {error}") from error
        self._reader.start(self._producer)

    def advance(self) -> None:
        """Take confirmations and send what may be sent; never blocks on Kafka.

        Raises AgentError when Kafka refuses us before it ever let us in, as long as nothing would be lost by that.
        """
        if self._producer is None:
            if time.monotonic() >= self._start_at:
                self.start()
            return
        self._producer.poll(0)
        if self._refusals.reason and not self._reader.partitions and not len(self._spool):
            raise AgentError(f"Kafka refuses us: {self._refusals.reason}")
        if self._rejection:
            self._restart()
            return
        self._fill_window()
        self._metrics.spooled_intervals.set(len(self._spool))
        self._metrics.spooled_bytes.set(self._spool.size_bytes)

    def flush(self, seconds: float) -> bool:
        """Send what is spooled, for so long at most; True when nothing is left."""
        deadline = time.monotonic() + seconds
        while len(self._spool) and (left := deadline - time.monotonic()) > 0:
            self.advance()
            if self._producer is not None:
                self._producer.poll(min(left, 0.05))
        return not len(self._spool)

    def stop(self) -> None:
        """Let go of Kafka; what is not confirmed stays in the spool."""
        self._reader.stop()
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(_PURGE_SECONDS)
            self._producer = None

    def faults(self) -> list[str]:
        """Why intervals do not get through; empty when they do."""
        return [fault for fault in (self._reader.fault, self._outage) if fault]

    def _fill_window(self) -> None:
        while self._bytes_under_way < _WINDOW_BYTES and not self._rejection:
            if not self._queue and not self._take_interval():
                return
            if self._queue:
                self._produce(*self._queue.popleft())

    def _take_interval(self) -> bool:
        sequence = self._spool.next_to_send() if self._reader.partitions else None
        if sequence is None:
            return False
        interval = self._fit(sequence)
        if interval is not None:
            self._spool.mark_sent(sequence, len(interval.messages))
            self._queue.extend((sequence, index, message) for index, message in enumerate(interval.messages))
        return True

    def _produce(self, sequence: int, index: int, message: IntervalMessage) -> None:
        assert self._producer is not None
        try:
            self._producer.produce(
                self._destination.topic,
                message.value,
                self._destination.key,
                message.partition,
                on_delivery=partial(self._note_delivery, sequence, index),
            )
        except (BufferError, KafkaException) as error:
            self._reject(str(error))
        else:
            self._bytes_under_way += len(message.value)

    def _fit(self, sequence: int) -> Interval | None:
        """The interval, divided as the topic is; None when it had to be given up."""
        try:
            interval = self._spool.interval(sequence) or self._storage.load(sequence)
            partitions = self._reader.partitions
            if interval.partitions > partitions or (
                interval.partitions != partitions and not interval.is_divided_for_sure
            ):
                interval = self._encoder.divide_again(interval, partitions)
        except (AgentError, SchemaError, ValueError) as error:
            _log.error("interval given up", sequence=sequence, reason=str(error))
            self._metrics.dropped.labels("unreadable").inc()
            self._spool.discard(sequence)
            self._storage.forget(sequence)
            return None
        return interval

    def _note_delivery(self, sequence: int, index: int, error: KafkaError | None, message: Message) -> None:
        size_bytes = len(message.value() or b"")
        self._bytes_under_way -= size_bytes
        if error is not None:
            self._reject(error.str())
            return
        self._metrics.messages.inc()
        self._metrics.bytes.inc(size_bytes)
        if self._spool.confirm(sequence, index):
            self._pause_seconds = _FIRST_PAUSE_SECONDS
            self._outage = ""
            self._metrics.intervals.inc()
            self._metrics.confirmed_at.set_to_current_time()
            self._storage.forget(sequence)

    def _note_error(self, error: KafkaError) -> None:
        """What librdkafka reports by itself: an outage, which it mends, unless it is fatal."""
        self._refusals.note(error)
        if error.fatal():
            self._reject(error.str())
        elif error.code() in _OUTAGES and not self._outage:
            self._outage = f"Kafka: {error.str()}"
            _log.warning(self._outage)

    def _reject(self, cause: str) -> None:
        if not self._rejection:
            _log.error("Kafka rejected an interval; it is sent again", cause=cause, seconds=self._pause_seconds)
        self._rejection = cause

    def _restart(self) -> None:
        """Begin again with a new producer: the old one's order is broken."""
        self._metrics.errors.labels("rejected").inc()
        self._outage = f"Kafka rejected an interval: {self._rejection}"
        self.stop()
        self._spool.send_again()
        self._queue.clear()
        self._bytes_under_way = 0
        self._rejection = ""
        self._start_at = time.monotonic() + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)


def _complete(configuration: Configuration) -> dict[str, object]:
    return {
        **configuration,
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": "lz4",
        "linger.ms": 5,
        "message.timeout.ms": 0,  # never: the spool decides what is given up
        "queue.buffering.max.kbytes": _QUEUE_KIBIBYTES,
        "allow.auto.create.topics": False,  # a topic made by accident has the wrong number of partitions
        "topic.metadata.refresh.interval.ms": 30_000,
        "reconnect.backoff.max.ms": 5_000,
        "log_level": 0,  # its errors come through error_cb; the rest is noise while Kafka is away
    }
