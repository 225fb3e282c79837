"""Brings flow documents in: live and recent ones from Kafka, past ones from Elasticsearch."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from elasticsearch import ApiError, Elasticsearch, TransportError

from conntrail.errors import CommandError
from conntrail.observe.condition import AnyCondition, query
from runtime.broker.reader import find_topics
from runtime.elasticsearch import client_options
from runtime.kafka import BrokerError, client_configuration
from runtime.reader import certificates
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
        self._settings = settings
        self._servers = settings.bootstrap_servers
        self._configuration = {
            **client_configuration(settings, "conntrail-observe"),
            "group.id": "conntrail-observe",
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            "enable.partition.eof": True,
            "log_level": 0,  # its errors come through error_cb
            "error_cb": self._note_error,
        }
        self._complain = complain
        self._has_complained = False
        self._is_away = False

    def documents(self, since_ms: int | None, follow: bool) -> Iterator[Document]:
        """From an instant, or from now; to what is there, or for ever. Raises CommandError without a broker."""
        partitions = self._partitions()
        consumer = Consumer(self._configuration)
        try:
            positions = self._positions(consumer, partitions, since_ms)
            ends = {p.partition: consumer.get_watermark_offsets(p, timeout=_PATIENCE_SECONDS)[1] for p in positions}
            consumer.assign(positions)
            waiting = {p.partition for p in positions if 0 <= p.offset < ends[p.partition]}
            heard_at = time.monotonic()
            while follow or waiting:
                message = consumer.poll(_POLL_SECONDS)
                if message is None:
                    if not follow and time.monotonic() - heard_at > _PATIENCE_SECONDS:
                        raise CommandError(f"Kafka at {self._servers}: nothing came for {_PATIENCE_SECONDS:.0f} s")
                    continue
                heard_at, self._is_away = time.monotonic(), False
                partition, error = message.partition() or 0, message.error()
                # The last offsets may hold no message (a transaction's marker), so the broker must say where it ends.
                if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
                    raise CommandError(f"Kafka at {self._servers}: {error.str()}")
                if error is not None or (message.offset() or 0) >= ends[partition] - 1:
                    waiting.discard(partition)
                if error is None:
                    yield from self._decoded(message.value())
        except KafkaException as error:
            raise CommandError(f"Kafka at {self._servers}: {error.args[0].str()}") from error
        finally:
            consumer.close()

    def _partitions(self) -> list[int]:
        try:
            metadata = find_topics(self._settings, "conntrail-observe", _PATIENCE_SECONDS).get(self._topic)
        except BrokerError as error:
            raise CommandError(str(error)) from error
        if metadata is None:
            raise CommandError(f"topic {self._topic} does not exist, or we may not see it: run conntrail setup")
        return list(metadata.partitions)

    def _positions(self, consumer: Consumer, partitions: list[int], since_ms: int | None) -> list[TopicPartition]:
        at = int(time.time() * 1000) if since_ms is None else since_ms
        wanted = [TopicPartition(self._topic, number, at) for number in partitions]
        return consumer.offsets_for_times(wanted, timeout=_PATIENCE_SECONDS)

    def _note_error(self, error: KafkaError) -> None:
        """What librdkafka reports by itself: an outage is told once, then waited out."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._is_away:  # noqa: SLF001 - librdkafka's name
            self._is_away = True
            self._complain(f"Kafka at {self._servers} is away: waiting for it")

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
        body = document_of(FLOWS, record, "default").body
        if body is not None:
            yield body


class FlowIndex:
    """The flows that Elasticsearch keeps."""

    def __init__(self, settings: ElasticsearchSettings) -> None:
        self._hosts = settings.hosts
        self._pattern = f"logs-conntrail.flow-{settings.namespace}-*"
        if settings.ca_certs:
            certificates("CONNTRAIL_ELASTICSEARCH__CA_CERTS", settings.ca_certs)
        self._client = Elasticsearch(**client_options(settings), request_timeout=_PATIENCE_SECONDS)

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
                    allow_partial_search_results=False,  # few flows must not be taken for all
                )
                hits = answer["hits"]["hits"]
                found += [hit["_source"] for hit in hits]
                if len(hits) < size:
                    break
                after = hits[-1]["sort"]
        except ApiError as error:
            raise CommandError(f"Elasticsearch at {self._hosts} refuses: {error}") from error
        except TransportError as error:
            raise CommandError(f"Elasticsearch at {self._hosts} does not answer ({error.message})") from error
        return found[::-1]
