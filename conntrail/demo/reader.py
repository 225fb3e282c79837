"""Asks Kafka how far the results are, and Elasticsearch what was found."""

from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from elasticsearch import ApiError, Elasticsearch, TransportError

from conntrail.errors import CommandError
from runtime.kafka import client_configuration
from runtime.settings import KafkaSettings
from schemas.group import progress_group
from schemas.topic import DNS, DNS_RAW, FLOWS, FLOWS_RAW, L7, L7_RAW, POLICY_HITS, WINDOWS, Topic

_PATIENCE_SECONDS = 15.0
_STAGES: Final = {"flows": (FLOWS_RAW,), "exchanges": (DNS_RAW, L7_RAW)}
"""Which stage of the worker makes what agents send final."""
_INDEXED: Final = (FLOWS, WINDOWS, POLICY_HITS, DNS, L7)


class Drain:
    """Tells when everything that agents sent before an instant is final and indexed."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._prefix = settings.topic_prefix

    def is_done(self, until_ms: int) -> bool:
        """``until_ms``: Unix time. Raises CommandError when Kafka does not answer."""
        try:
            are_final = all(self._are_final(stage, topics, until_ms) for stage, topics in _STAGES.items())
            return are_final and self._are_indexed()
        except KafkaException as error:
            raise CommandError(f"Kafka at {self._settings.bootstrap_servers}: {error.args[0].str()}") from error

    def _are_final(self, stage: str, topics: Iterable[Topic], until_ms: int) -> bool:
        """What the stage makes of every part that was produced before the instant is final."""
        consumer = self._consumer(stage)
        try:
            names = [topic.full_name(self._prefix) for topic in topics]
            partitions = [found for name in names for found in self._partitions(consumer, name)]
            done = consumer.committed(partitions, timeout=_PATIENCE_SECONDS)
            wanted = [TopicPartition(p.topic, p.partition, until_ms) for p in partitions]
            ends = consumer.offsets_for_times(wanted, timeout=_PATIENCE_SECONDS)
            return all(end.offset >= 0 and have.offset >= end.offset for have, end in zip(done, ends, strict=True))
        finally:
            consumer.close()

    def _are_indexed(self) -> bool:
        consumer = self._consumer("index")
        try:
            for topic in _INDEXED:
                partitions = self._partitions(consumer, topic.full_name(self._prefix))
                for have in consumer.committed(partitions, timeout=_PATIENCE_SECONDS):
                    _, high = consumer.get_watermark_offsets(have, timeout=_PATIENCE_SECONDS)
                    if have.offset < high and high > 0:
                        return False
            return True
        finally:
            consumer.close()

    def _consumer(self, stage: str) -> Consumer:
        group = self._prefix + progress_group(stage)
        return Consumer({**client_configuration(self._settings, "conntrail-demo"), "group.id": group})

    def _partitions(self, consumer: Consumer, topic: str) -> list[TopicPartition]:
        metadata = consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic]
        return [TopicPartition(topic, number) for number in metadata.partitions]


class Findings:
    """Searches over the indices."""

    def __init__(self, hosts: str) -> None:
        self._hosts = hosts
        self._client = Elasticsearch([host.strip() for host in hosts.split(",")], request_timeout=_PATIENCE_SECONDS)

    def ask(self, requests: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        """Answers to (index, search request). Raises CommandError when Elasticsearch refuses."""
        try:
            self._client.indices.refresh(index="logs-conntrail.*,metrics-conntrail.*")
            return [dict(self._client.search(index=index, **body)) for index, body in requests]
        except (ApiError, TransportError) as error:
            raise CommandError(f"Elasticsearch at {self._hosts}: {error}") from error
