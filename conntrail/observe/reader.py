"""Brings flow documents in: live and recent ones from Kafka, past ones from Elasticsearch."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from elasticsearch import ApiError, Elasticsearch, TransportError

from conntrail.errors import CommandError
from conntrail.observe.condition import AnyCondition, query
from runtime.kafka import client_configuration
from runtime.settings import ElasticsearchSettings, KafkaSettings, SchemaRegistrySettings
from schemas.errors import DecodeError, RegistryError
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import FLOWS
from streams.index.documents import document_of

Document = dict[str, Any]
_PAGE = 1000
_PATIENCE_SECONDS = 15.0
_POLL_SECONDS = 0.5


class FlowTopic:
    """The topic ``flows``: what is kept of it, and what comes."""

    def __init__(
        self, settings: KafkaSettings, registry: SchemaRegistrySettings, complain: Callable[[str], None]
    ) -> None:
        """``complain`` is told of the first record that cannot be read, so that few flows are not taken for all."""
        self._topic = FLOWS.full_name(settings.topic_prefix)
        self._registry = RegistryReader(registry)
        self._codec = codec_of(FLOWS.schema)
        self._servers = settings.bootstrap_servers
        self._configuration = {
            **client_configuration(settings, "conntrail-observe"),
            "group.id": "conntrail-observe",
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
        }
        self._complain = complain
        self._has_complained = False

    def documents(self, since_ms: int | None, follow: bool) -> Iterator[Document]:
        """From an instant, or from now; to what is there, or for ever. Raises CommandError without a broker."""
        consumer = Consumer(self._configuration)
        try:
            positions = self._positions(consumer, since_ms)
            ends = {p.partition: consumer.get_watermark_offsets(p, timeout=_PATIENCE_SECONDS)[1] for p in positions}
            consumer.assign(positions)
            waiting = {p.partition for p in positions if 0 <= p.offset < ends[p.partition]}
            while follow or waiting:
                message = consumer.poll(_POLL_SECONDS)
                if message is None:
                    continue
                if (error := message.error()) is not None:
                    raise CommandError(f"Kafka at {self._servers}: {error.str()}")
                if (message.offset() or 0) >= ends[message.partition() or 0] - 1:
                    waiting.discard(message.partition() or 0)
                yield from self._decoded(message.value())
        except KafkaException as error:
            raise CommandError(f"Kafka at {self._servers}: {error.args[0].str()}") from error
        finally:
            consumer.close()

    def _positions(self, consumer: Consumer, since_ms: int | None) -> list[TopicPartition]:
        metadata = consumer.list_topics(self._topic, timeout=_PATIENCE_SECONDS).topics[self._topic]
        if metadata.error is not None:
            raise CommandError(f"topic {self._topic} does not exist: run conntrail setup")
        at = int(time.time() * 1000) if since_ms is None else since_ms
        wanted = [TopicPartition(self._topic, number, at) for number in metadata.partitions]
        return consumer.offsets_for_times(wanted, timeout=_PATIENCE_SECONDS)

    def _decoded(self, value: bytes | None) -> Iterator[Document]:
        try:
            record = self._registry.decode(self._codec, value or b"", _PATIENCE_SECONDS)
        except DecodeError as error:
            if not self._has_complained:
                self._complain(f"INCOMPLETE: some flows in {self._topic} cannot be read: {error}")
            self._has_complained = True
            return
        except RegistryError as error:
            raise CommandError(str(error)) from error
        yield document_of(FLOWS, record, "default").body


class FlowIndex:
    """The flows that Elasticsearch keeps."""

    def __init__(self, settings: ElasticsearchSettings) -> None:
        self._hosts = settings.hosts
        self._pattern = "logs-conntrail.flow-*"
        options: dict[str, Any] = {"ca_certs": settings.ca_certs} if settings.ca_certs else {}
        self._client = Elasticsearch(
            [host.strip() for host in settings.hosts.split(",")],
            api_key=settings.api_key or None,
            request_timeout=_PATIENCE_SECONDS,
            **options,
        )

    def is_there(self) -> bool:
        """Whether the cluster answers."""
        try:
            return bool(self._client.cluster.health()["status"])
        except (ApiError, TransportError):
            return False

    def latest(
        self, conditions: list[AnyCondition], since_ms: int | None, until_ms: int | None, count: int | None
    ) -> list[Document]:
        """The last ``count`` flows, all without a count, in order of time. Raises CommandError when it fails."""
        found: list[Document] = []
        after: list[Any] | None = None
        try:
            while count is None or len(found) < count:
                size = _PAGE if count is None else min(_PAGE, count - len(found))
                answer = self._client.search(
                    index=self._pattern,
                    query=query(conditions, since_ms, until_ms),
                    sort=[{"@timestamp": "desc"}, {"flow.id": "desc"}],
                    search_after=after,
                    size=size,
                )
                hits = answer["hits"]["hits"]
                found += [hit["_source"] for hit in hits]
                if len(hits) < size:
                    break
                after = hits[-1]["sort"]
        except (ApiError, TransportError) as error:
            raise CommandError(f"Elasticsearch at {self._hosts}: {error}") from error
        return found[::-1]
