"""Reads alerts and silences from their topics: what they hold now, and what comes."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry

from conntrail.errors import CommandError
from runtime.broker.reader import find_topics
from runtime.kafka import BrokerError
from runtime.settings import Settings
from schemas.registry.reader import RegistryReader
from schemas.topic import ALERTS, SILENCES, Topic
from streams.compacted.reader import CompactedReader, Reading
from streams.errors import ReadError
from streams.notice.book import Word
from streams.notice.counters import NoticeCounters
from streams.notice.notices import Notices

_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 15.0
_TOGETHER = 1_000


class NoticeTopics:
    """Both topics. ``unusable`` counts what could not be read of them."""

    def __init__(self, settings: Settings) -> None:
        self.notices = Notices()
        self.unusable = 0
        self._settings = settings
        self._registry = RegistryReader(settings.schema_registry)
        self._errors = NoticeCounters(CollectorRegistry()).errors

    def read(self, *topics: Topic) -> None:
        """Take in all that they hold. Raises CommandError."""
        for topic in topics:
            reader = self._reader(topic)
            try:
                for readings in reader.start():
                    self._take(topic, readings)
            except ReadError as error:
                raise CommandError(str(error)) from error
            finally:
                reader.close()

    def follow(self, *, has_active: bool) -> Iterator[Word]:
        """What comes of alerts, for ever, behind those that are open if that is asked. Raises CommandError."""
        reader = self._reader(ALERTS)
        try:
            for readings in reader.start():
                self._take(ALERTS, readings)
            cursor = self.notices.book.sequence
            if has_active:
                yield from [word for word in self.notices.book.alerts() if word.alert["status"] != "resolved"][::-1]
            while True:
                self._take(ALERTS, reader.take(_POLL_SECONDS))
                while words := self.notices.book.after(cursor, _TOGETHER):
                    cursor = words[-1].sequence
                    yield from words
        except ReadError as error:
            raise CommandError(str(error)) from error
        finally:
            reader.close()

    def _reader(self, topic: Topic) -> CompactedReader:
        name = topic.full_name(self._settings.kafka.topic_prefix)
        try:
            found = find_topics(self._settings.kafka, "conntrail-alerts", _PATIENCE_SECONDS)
        except BrokerError as error:
            raise CommandError(str(error)) from error
        if name not in found:
            raise CommandError(f"topic {name} does not exist, or we may not see it: run conntrail setup")
        return CompactedReader(self._settings.kafka, self._registry, topic, self._errors)

    def _take(self, topic: Topic, readings: list[Reading]) -> None:
        for reading in readings:
            if reading.fault:
                self.unusable += 1
            elif topic is SILENCES:
                self.notices.take_silence(reading.name, reading.record)
            else:
                self.notices.take_alert(reading.partition, reading.offset, reading.name, reading.record)
