"""Reads a history: Elasticsearch by composite aggregations, Kafka record by record. Both say what they cut.

The figures of a history are bounded: a record costs about 1 kB here, and a terminal is no place for millions.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from elasticsearch import ApiError, Elasticsearch, TransportError

from conntrail.errors import CommandError
from conntrail.policy.history import document, search
from conntrail.policy.history.period import Period
from conntrail.policy.history.revision import Latest
from conntrail.policy.history.search import PAGE, Bucket, Search, period_query
from conntrail.policy.history.seen import History, RuleHits
from conntrail.policy.history.tally import Tally
from runtime.elasticsearch import client_options
from runtime.kafka import client_configuration
from runtime.settings import Settings
from schemas.errors import DecodeError, RegistryError
from schemas.group import POLICY
from schemas.registry.reader import RegistryReader
from schemas.single_object import codec_of
from schemas.topic import FLOWS, POLICY_HITS, WINDOWS, Topic
from streams.index.document import Document
from streams.index.documents import document_of

MAXIMUM_BUCKETS: Final = 100_000
"""Of one search."""
MAXIMUM_RECORDS: Final = 500_000
"""Of one topic."""
_PATIENCE_SECONDS: Final = 15.0
_SEARCH_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_SHOWN_CLUSTERS: Final = 5
_Value = TypeVar("_Value")


class HistoryIndex:
    """What Elasticsearch keeps."""

    def __init__(self, settings: Settings, maximum_buckets: int = MAXIMUM_BUCKETS) -> None:
        self._settings = settings.elasticsearch
        self._cluster = settings.cluster
        self._maximum_buckets = maximum_buckets
        self._client = Elasticsearch(**client_options(settings.elasticsearch), request_timeout=_SEARCH_SECONDS)
        self._notes: list[str] = []

    def read(self, period: Period) -> History:
        """Everything seen in the period. Raises CommandError when Elasticsearch refuses or goes away."""
        self._notes = []
        tally = Tally()
        for bucket in self._buckets(search.WINDOWS, period, "windows"):
            tally.add_seen(search.seen_of_bucket(bucket))
        for one in search.example_searches():
            for bucket in self._buckets(one, period, "flows"):
                tally.add_examples(*search.examples_of_bucket(bucket))
        for side in ("source", "destination"):
            for bucket in self._buckets(search.pod_search(side), period, f"{side} pods"):
                tally.add_pod(search.pod_of_bucket(bucket, side))
        self._note_coverage(period)
        hits = self._hits(period)
        if not tally.seen():
            self._note_clusters()
        return History(tally.seen(), tally.pods(), hits, "elasticsearch", tuple(self._notes))

    def read_hits(self, period: Period) -> History:
        """The hits of rules alone, which is far less to read."""
        self._notes = []
        hits = self._hits(period)
        if not hits:
            self._note_clusters()
        return History(hits=hits, origin="elasticsearch", notes=tuple(self._notes))

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _hits(self, period: Period) -> tuple[RuleHits, ...]:
        tally = Tally()
        for bucket in self._buckets(search.HITS, period, "policy hits"):
            tally.add_hits(search.hits_of_bucket(bucket))
        return tally.hits()

    def _buckets(self, wanted: Search, period: Period, what: str) -> Iterator[Bucket]:
        after: Bucket | None = None
        count = 0
        while True:
            answer = self._ask(wanted.dataset, wanted.body(self._cluster, period, after))
            groups = answer.get("aggregations", {}).get("groups", {})
            buckets = groups.get("buckets", [])
            yield from buckets[: self._maximum_buckets - count]
            count += len(buckets)
            after = groups.get("after_key")
            if len(buckets) < PAGE or after is None:
                return
            if count >= self._maximum_buckets:
                self._notes.append(f"INCOMPLETE: only {self._maximum_buckets} groups of {what}: ask for less time")
                return

    def _note_coverage(self, period: Period) -> None:
        body = {
            "size": 0,
            "query": period_query(self._cluster, period),
            "aggs": {"coverage": {"terms": {"field": "flow.coverage"}}},
        }
        answer = self._ask(search.WINDOWS.dataset, body)
        buckets = answer.get("aggregations", {}).get("coverage", {}).get("buckets", ())
        self._notes += _coverage_notes({str(bucket["key"]): int(bucket["doc_count"]) for bucket in buckets})

    def _note_clusters(self) -> None:
        """A misspelt cluster's name finds nothing, which must not look like silence."""
        body = {"size": 0, "aggs": {"names": {"terms": {"field": "orchestrator.cluster.name"}}}}
        answer = self._ask(search.WINDOWS.dataset, body)
        names = [bucket["key"] for bucket in answer.get("aggregations", {}).get("names", {}).get("buckets", ())]
        self._notes += _cluster_notes(self._cluster, names)

    def _ask(self, dataset: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(self._client.search(index=f"{dataset}-{self._settings.namespace}-*", **body))
        except ApiError as error:
            raise CommandError(f"Elasticsearch at {self._settings.hosts} refuses: {error}") from error
        except TransportError as error:
            raise CommandError(f"Elasticsearch at {self._settings.hosts} does not answer ({error.message})") from error


class HistoryTopics:
    """What Kafka keeps: windows and hits for a week, flows for a day."""

    def __init__(self, settings: Settings, maximum_records: int = MAXIMUM_RECORDS) -> None:
        self._kafka = settings.kafka
        self._cluster = settings.cluster
        self._registry = RegistryReader(settings.schema_registry)
        self._maximum_records = maximum_records
        self._notes: list[str] = []

    def read(self, period: Period) -> History:
        """Everything seen in the period. Raises CommandError without a broker."""
        self._notes = []
        tally = Tally()
        coverage: dict[str, int] = {}
        windows = self._latest(WINDOWS, period, lambda body: (document.seen_of(body), body["flow"]["coverage"]))
        for part, covered in windows:
            tally.add_seen(part)
            coverage[covered] = coverage.get(covered, 0) + 1
        flows = self._latest(FLOWS, period, lambda body: (document.key_of(body), document.examples_of(body),
                                                          tuple(document.pods_of(body))))  # fmt: skip
        for key, examples, pods in flows:
            tally.add_examples(key, examples)
            for pod in pods:
                tally.add_pod(pod)
        self._notes += _coverage_notes(coverage)
        return History(tally.seen(), tally.pods(), self._hits(period), "kafka", tuple(self._notes))

    def read_hits(self, period: Period) -> History:
        """The hits of rules alone."""
        self._notes = []
        return History(hits=self._hits(period), origin="kafka", notes=tuple(self._notes))

    def _hits(self, period: Period) -> tuple[RuleHits, ...]:
        tally = Tally()
        for part in self._latest(POLICY_HITS, period, document.hits_of):
            tally.add_hits(part)
        return tally.hits()

    def _latest(self, topic: Topic, period: Period, take: Callable[[document.Body], _Value]) -> Latest[_Value]:
        """The last word of each document of the period."""
        latest: Latest[_Value] = Latest()
        others: set[str] = set()
        for found in self._documents(topic, period):
            latest.settle(found.span)
            if found.body is None:
                continue
            if not period.holds(document.time_ms(found.body["@timestamp"])):
                continue
            if document.cluster_of(found.body) != self._cluster:
                others.add(document.cluster_of(found.body))
                continue
            latest.put(found, take(found.body))
            if len(latest) >= self._maximum_records:
                self._notes.append(
                    f"INCOMPLETE: only {self._maximum_records} records of {topic.name}: ask for less time"
                )
                break
        if not len(latest) and topic is not FLOWS:
            self._notes += _cluster_notes(self._cluster, sorted(others))
        return latest

    def _documents(self, topic: Topic, period: Period) -> Iterator[Document]:
        """From the period's begin to what is there now."""
        name, codec = topic.full_name(self._kafka.topic_prefix), codec_of(topic.schema)
        unreadable = 0
        for value in self._values(name, period.since_ms):
            try:
                record = self._registry.decode(codec, value, _PATIENCE_SECONDS)
            except DecodeError:
                unreadable += 1
                continue
            except RegistryError as error:
                raise CommandError(str(error)) from error
            yield document_of(topic, record, "default")
        if unreadable:
            self._notes.append(f"INCOMPLETE: {unreadable} records of {name} cannot be read")

    def _values(self, topic: str, since_ms: int) -> Iterator[bytes]:
        consumer = Consumer(
            {
                **client_configuration(self._kafka, "conntrail-policy"),
                "group.id": self._kafka.topic_prefix + POLICY,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        try:
            positions = self._positions(consumer, topic, since_ms)
            consumer.assign(positions)
            unread = {position.partition for position in positions}
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while unread:
                message = consumer.poll(_POLL_SECONDS)
                if message is None:
                    if time.monotonic() > deadline:
                        raise CommandError(
                            f"Kafka at {self._kafka.bootstrap_servers}: {topic} gave nothing for "
                            f"{_PATIENCE_SECONDS:.0f} s"
                        )
                    continue
                deadline = time.monotonic() + _PATIENCE_SECONDS
                error = message.error()
                if error is None:
                    yield message.value() or b""
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's public name for it
                    unread.discard(message.partition() or 0)
                else:
                    raise CommandError(f"Kafka at {self._kafka.bootstrap_servers}: {error.str()}")
        except KafkaException as error:
            raise CommandError(f"Kafka at {self._kafka.bootstrap_servers}: {error.args[0].str()}") from error
        finally:
            consumer.close()

    def _positions(self, consumer: Consumer, topic: str, since_ms: int) -> list[TopicPartition]:
        """Results are produced after their time, so nothing of a period is older in the log than its begin."""
        metadata = consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic]
        if metadata.error is not None:
            raise CommandError(f"topic {topic} does not exist: run conntrail setup")
        wanted = [TopicPartition(topic, number, max(since_ms, 0)) for number in metadata.partitions]
        return consumer.offsets_for_times(wanted, timeout=_PATIENCE_SECONDS)


def read_history(
    settings: Settings, period: Period, source: str, say: Callable[[str], None], *, is_hits_only: bool = False
) -> History:
    """From ``elasticsearch``, ``kafka``, or with ``auto`` from whichever answers first in that order.

    ``say`` is told when Elasticsearch was left out. Raises CommandError when neither answers.
    """
    if source != "kafka" and settings.elasticsearch.hosts:
        index = HistoryIndex(settings)
        try:
            return index.read_hits(period) if is_hits_only else index.read(period)
        except CommandError as error:
            if source == "elasticsearch":
                raise
            say(f"{error}: reading what Kafka still keeps")
        finally:
            index.close()
    elif source == "elasticsearch":
        raise CommandError("CONNTRAIL_ELASTICSEARCH__HOSTS is empty: set it, or use --source kafka")
    topics = HistoryTopics(settings)
    return topics.read_hits(period) if is_hits_only else topics.read(period)


def _coverage_notes(counts: dict[str, int]) -> list[str]:
    partly = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if name != "complete")
    return [f"INCOMPLETE: of {sum(counts.values())} windows {partly}: nodes did not see everything"] if partly else []


def _cluster_notes(cluster: str, others: list[str]) -> list[str]:
    if not others or cluster in others:
        return []
    names = ", ".join(others[:_SHOWN_CLUSTERS])
    return [f"nothing of cluster {cluster!r} is there, but of {names}: set CONNTRAIL_CLUSTER"]
