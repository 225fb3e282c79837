"""Brings documents in: live and recent ones from Kafka, past ones from Elasticsearch."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from conntrail.errors import CommandError
from conntrail.observe.condition import AnyCondition, query
from runtime.broker.reader import find_topics
from runtime.elasticsearch import client_options
from runtime.kafka import BrokerError, client_configuration
from runtime.reader import certificates
from runtime.settings import ElasticsearchSettings, KafkaSettings, SchemaRegistrySettings
from schemas.errors import DecodeError, RegistryError
from schemas.group import OBSERVE
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import Topic
from streams.index.dataset import Dataset
from streams.index.document import Document as Told
from streams.index.documents import document_of

Document = dict[str, Any]
_PAGE = 1000
_PATIENCE_SECONDS = 15.0
_BATCH = 500
_POLL_SECONDS = 0.1
_QUEUE_KIB = 16 * 1024
"""What librdkafka may fetch ahead of us."""
_KEPT = "5m"
"""How long Elasticsearch holds on to a point in time between two pages."""


class DocumentTopics:
    """The topics of some types: what is kept of them, and what comes."""

    def __init__(
        self,
        settings: KafkaSettings,
        registry: SchemaRegistrySettings,
        topics: Sequence[Topic],
        complain: Callable[[str], None],
    ) -> None:
        """``complain`` is told of the first record that cannot be read, so that few are not taken for all."""
        self._topics = {topic.full_name(settings.topic_prefix): topic for topic in topics}
        self._codecs = {name: codec_of(topic.schema) for name, topic in self._topics.items()}
        self._registry = RegistryReader(registry)
        self._settings = settings
        self._servers = settings.bootstrap_servers
        self._configuration = {
            **client_configuration(settings, "conntrail-observe"),
            "group.id": settings.topic_prefix + OBSERVE,
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": _QUEUE_KIB,
            "log_level": 0,  # its errors come through error_cb
            "error_cb": self._note_error,
        }
        self._complain = complain
        self._has_complained = False
        self._is_away = False

    def documents(self, since_ms: int | None, follow: bool) -> Iterator[Document]:
        """What is told, outdated or not, as ``told``."""
        return _bodies(self.told(since_ms, follow))

    def told(self, since_ms: int | None, follow: bool) -> Iterator[Told]:
        """From an instant, or from now; to what is there, or for ever. Raises CommandError without a broker.

        Spans of which nothing is left are told of too.
        """
        partitions = self._partitions()
        consumer = Consumer(self._configuration)
        try:
            positions = self._positions(consumer, partitions, since_ms)
            ends = {_place(p): consumer.get_watermark_offsets(p, timeout=_PATIENCE_SECONDS)[1] for p in positions}
            consumer.assign(positions)
            waiting = {_place(p) for p in positions if 0 <= p.offset < ends[_place(p)]}
            heard_at = time.monotonic()
            while follow or waiting:
                messages = consumer.consume(_BATCH, _POLL_SECONDS)
                if not messages and not follow and time.monotonic() - heard_at > _PATIENCE_SECONDS:
                    raise CommandError(f"Kafka at {self._servers}: nothing came for {_PATIENCE_SECONDS:.0f} s")
                if messages:
                    heard_at, self._is_away = time.monotonic(), False
                for message in messages:
                    self._check(message)
                    partition = (message.topic() or "", message.partition() or 0)
                    # The last offsets may hold no message (a transaction's marker), so the broker says where it ends.
                    if message.error() is not None or (message.offset() or 0) >= ends[partition] - 1:
                        waiting.discard(partition)
                    if message.error() is None:
                        yield from self._decoded(partition[0], message.value())
        except KafkaException as error:
            raise CommandError(f"Kafka at {self._servers}: {error.args[0].str()}") from error
        finally:
            consumer.close()

    def _partitions(self) -> list[tuple[str, int]]:
        try:
            found = find_topics(self._settings, "conntrail-observe", _PATIENCE_SECONDS)
        except BrokerError as error:
            raise CommandError(str(error)) from error
        for name in self._topics:
            if name not in found:
                raise CommandError(f"topic {name} does not exist, or we may not see it: run conntrail setup")
        return [(name, number) for name in self._topics for number in found[name].partitions]

    def _positions(
        self, consumer: Consumer, partitions: list[tuple[str, int]], since_ms: int | None
    ) -> list[TopicPartition]:
        at = int(time.time() * 1000) if since_ms is None else since_ms
        wanted = [TopicPartition(name, number, at) for name, number in partitions]
        return consumer.offsets_for_times(wanted, timeout=_PATIENCE_SECONDS)

    def _check(self, message: Message) -> None:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
            raise CommandError(f"Kafka at {self._servers}: {error.str()}")

    def _note_error(self, error: KafkaError) -> None:
        """What librdkafka reports by itself: an outage is told once, then waited out."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._is_away:  # noqa: SLF001 - librdkafka's name
            self._is_away = True
            self._complain(f"Kafka at {self._servers} is away: waiting for it")

    def _decoded(self, topic: str, value: bytes | None) -> Iterator[Told]:
        try:
            record = self._registry.decode(self._codecs[topic], value or b"", _PATIENCE_SECONDS)
        except DecodeError as error:
            if not self._has_complained:
                self._complain(f"INCOMPLETE: some records in {topic} cannot be read: {error}")
            self._has_complained = True
            return
        except RegistryError as error:
            raise CommandError(str(error)) from error
        yield document_of(self._topics[topic], record, "default")


def _bodies(told: Iterator[Told]) -> Iterator[Document]:
    return (each.body for each in told if each.body is not None)


def _place(position: TopicPartition) -> tuple[str, int]:
    """Topic and partition."""
    return position.topic, position.partition


class DocumentIndex:
    """What Elasticsearch keeps of some types."""

    def __init__(self, settings: ElasticsearchSettings, datasets: Sequence[Dataset]) -> None:
        self._hosts = settings.hosts
        self._patterns = [f"{dataset.template}-{settings.namespace}-*" for dataset in datasets]
        if settings.ca_certs:
            certificates("CONNTRAIL_ELASTICSEARCH__CA_CERTS", settings.ca_certs)
        self._client = Elasticsearch(**client_options(settings), request_timeout=_PATIENCE_SECONDS)

    def latest(
        self, conditions: Sequence[AnyCondition], since_ms: int | None, until_ms: int | None, count: int
    ) -> Iterator[Document]:
        """The last ``count`` documents, the newest first. Raises CommandError."""
        return islice(_bodies(self.told(conditions, since_ms, until_ms, "desc", count)), count)

    def documents(
        self, conditions: Sequence[AnyCondition], since_ms: int | None, until_ms: int | None
    ) -> Iterator[Document]:
        """All, in order of time; memory holds one page. Raises CommandError."""
        return _bodies(self.told(conditions, since_ms, until_ms))

    def told(
        self,
        conditions: Sequence[AnyCondition],
        since_ms: int | None,
        until_ms: int | None,
        order: str = "asc",
        count: int = _PAGE,
    ) -> Iterator[Told]:
        """As ``documents``, with their names and versions. ``order`` of time: asc or desc; ``count``: how many help."""
        return self._pages(query(conditions, since_ms, until_ms), min(count, _PAGE), order)

    def sums(
        self, conditions: Sequence[AnyCondition], since_ms: int | None, until_ms: int | None, wanted: dict[str, Any]
    ) -> dict[str, Any]:
        """Aggregations as Elasticsearch names them, and their answers; none where there is no index. CommandError."""
        asked = query(conditions, since_ms, until_ms)
        with self._translated():
            answer = self._client.search(
                index=self._patterns, query=asked, aggs=wanted, size=0, allow_partial_search_results=False
            )
        found: dict[str, Any] = answer.get("aggregations", {})
        return found

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except NotFoundError as error:
            raise CommandError(
                f"Elasticsearch at {self._hosts} waited {_KEPT} for us to read on, and forgot where we were: "
                "go on with --since and the last time that was shown"
            ) from error
        except ApiError as error:
            raise CommandError(f"Elasticsearch at {self._hosts} refuses: {error}") from error
        except TransportError as error:
            raise CommandError(f"Elasticsearch at {self._hosts} does not answer ({error.message})") from error

    def _pages(self, wanted: dict[str, Any], size: int, order: str) -> Iterator[Told]:
        """In ``order`` of time: asc or desc."""
        with self._translated():
            yield from self._hits(wanted, size, order)

    def _hits(self, wanted: dict[str, Any], size: int, order: str) -> Iterator[Told]:
        """Flows of one instant by their id, as those of Kafka are.

        For all else a point in time has an order of its own.
        """
        opened = self._client.open_point_in_time(index=self._patterns, keep_alive=_KEPT)["id"]
        after: list[Any] | None = None
        try:
            while True:
                answer = self._client.search(
                    pit={"id": opened, "keep_alive": _KEPT},
                    query=wanted,
                    sort=[{"@timestamp": order}, {"flow.id": {"order": order, "unmapped_type": "keyword"}}],
                    search_after=after,
                    size=size,
                    version=True,
                    track_total_hits=False,
                    allow_partial_search_results=False,  # few must not be taken for all
                )
                opened, hits = answer.get("pit_id", opened), answer["hits"]["hits"]
                yield from (Told(hit["_index"], hit["_id"], hit["_version"], hit["_source"]) for hit in hits)
                if len(hits) < size:
                    break
                after = hits[-1]["sort"]
        finally:
            with suppress(ApiError, TransportError):  # it ends by itself
                self._client.close_point_in_time(id=opened)
