"""Alerts as an engine would write them, in topics of a test's own, and workers that tell people of them."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.schema import blank_record, read_schema
from schemas.single_object import codec_of
from schemas.topic import ALERTS, DEAD_LETTER, SILENCES, TOPICS, Topic
from tests.integration.publish.topics import read_all
from tests.support.waiting import until

AT_NS = 1_795_000_000_000_000_000
PARTITIONS = 3
DEADLINE_SECONDS = 120.0
_OURS = tuple(topic for topic in TOPICS if topic.name.startswith("alerts") or topic == DEAD_LETTER)


def alert(alert_id: str = "a1", revision: int = 1, **facts: Any) -> dict[str, Any]:
    """An edge that broke by a policy."""
    record = {
        **blank_record(read_schema(ALERTS.schema)),
        "id": alert_id,
        "cluster": "test",
        "rule": "communication-break",
        "category": "connectivity",
        "severity": "high",
        "status": "open" if revision == 1 else "updated",
        "message": "shop/frontend is denied data/postgres:5432",
        "reason": "policy data/postgres was applied 2 s before",
        "namespace": "shop",
        "workloads": ["shop/frontend", "data/postgres"],
        "subject": {"source.workload": "shop/frontend", "destination.workload": "data/postgres", "port": "5432"},
        "policies": ["NetworkPolicy:data/postgres:rule=-1:deny"],
        "suggestions": ["conntrail policy explain shop/frontend data/postgres:5432"],
        "count": revision,
        "member_count": 1,
        "started_at_ns": AT_NS,
        "updated_at_ns": AT_NS + revision * 1_000_000_000,
        "revision": revision,
    }
    return {**record, **facts}


def resolved(alert_id: str = "a1", revision: int = 9, **facts: Any) -> dict[str, Any]:
    """The same, over."""
    return alert(alert_id, revision, **{"status": "resolved", "resolved_at_ns": AT_NS + 60_000_000_000, **facts})


def silence(silence_id: str = "s1", ends_at_ns: int = AT_NS, **matchers: str) -> dict[str, Any]:
    return {
        "id": silence_id,
        "cluster": "test",
        "matchers": matchers,
        "comment": "known",
        "by": "ann",
        "created_at_ns": AT_NS - 1,
        "ends_at_ns": ends_at_ns,
    }


class AlertTopics:
    """Topics of one installation."""

    def __init__(self, kafka: str) -> None:
        self.kafka = kafka
        self.prefix = f"al{uuid.uuid4().hex[:10]}."
        self._admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
        self._producer = Producer({"bootstrap.servers": kafka, "log_level": 0, "linger.ms": 0})

    def create(self) -> None:
        topics = [NewTopic(topic.full_name(self.prefix), PARTITIONS, 1) for topic in _OURS]
        for future in self._admin.create_topics(topics).values():
            future.result()

    def delete(self) -> None:
        for future in self._admin.delete_topics([topic.full_name(self.prefix) for topic in _OURS]).values():
            future.result()

    def send(self, *records: dict[str, Any], topic: Topic = ALERTS) -> None:
        """One after the other, whatever their partitions."""
        codec = codec_of(topic.schema)
        for record in records:
            self.send_bytes(topic, record["id"], codec.encode(record))

    def send_together(self, *alerts: dict[str, Any]) -> None:
        codec, name = codec_of(ALERTS.schema), ALERTS.full_name(self.prefix)
        for record in alerts:
            self._producer.produce(name, codec.encode(record), record["id"].encode())
        assert self._producer.flush(DEADLINE_SECONDS) == 0

    def send_bytes(self, topic: Topic, key: str, value: bytes | None) -> None:
        self._producer.produce(topic.full_name(self.prefix), value, key.encode())
        assert self._producer.flush(30) == 0

    def silence(self, *records: dict[str, Any]) -> None:
        self.send(*records, topic=SILENCES)

    def records(self, topic: Topic) -> list[dict[str, Any]]:
        codec = codec_of(topic.schema)
        values = [message.value() for message in read_all(self.kafka, topic.full_name(self.prefix), PARTITIONS)]
        return [codec.decode(value) for value in values if value is not None]

    def environment(self, **more: str) -> dict[str, str]:
        own = {"KAFKA__BOOTSTRAP_SERVERS": self.kafka, "KAFKA__TOPIC_PREFIX": self.prefix, **more}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONNTRAIL_")}
        return {**kept, **{f"CONNTRAIL_{name}": value for name, value in own.items()}}


class Worker:
    """A worker process of some stages."""

    def __init__(self, topics: AlertTopics, directory: Path, *stages: str, **settings: str) -> None:
        self._api = directory / f"api-{uuid.uuid4().hex[:6]}"
        self._status = directory / f"status-{uuid.uuid4().hex[:6]}"
        own = {
            "WORKER__ID": f"w{uuid.uuid4().hex[:8]}",
            "API__ADDRESS_FILE": str(self._api),
            "HTTP__ADDRESS_FILE": str(self._status),
            **settings,
        }
        self._log = directory / "worker.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams", *stages], env=topics.environment(**own), stderr=log
            )
        self.until_ready()

    @property
    def address(self) -> str:
        return self._api.read_text().strip()

    def until_ready(self) -> None:
        until(lambda: self.process.poll() is not None or self._is_ready(), self._explain)
        assert self.process.poll() is None, self._explain()

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(90)

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        data = None if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(f"http://{self.address}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://{self._status.read_text().strip()}/metrics", timeout=30) as answer:
            return str(answer.read().decode())

    def log(self) -> str:
        return self._log.read_text()

    def _explain(self) -> str:
        return f"exit {self.process.poll()}: {self.log()[-3000:]}"

    def _is_ready(self) -> bool:
        if not self._status.exists():
            return False
        try:
            with urllib.request.urlopen(f"http://{self._status.read_text().strip()}/readyz", timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def alert_topics(kafka: str) -> Iterator[AlertTopics]:
    topics = AlertTopics(kafka)
    topics.create()
    try:
        yield topics
    finally:
        topics.delete()


@contextmanager
def worker(topics: AlertTopics, directory: Path, *stages: str, **settings: str) -> Iterator[Worker]:
    running = Worker(topics, directory, *stages, **settings)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
