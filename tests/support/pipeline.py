"""Cluster agent and worker as processes on a stack, without nodes: a test sends the raw flows itself."""

import json
import subprocess
import sys
import time
import urllib.error
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from conntrail.setup.main import set_up
from conntrail.system.child import Plan
from conntrail.system.writer import System
from runtime.settings import ElasticsearchSettings, KafkaSettings, Settings
from schemas.topic import FLOWS_RAW, Topic
from tests.support.index import sources
from tests.support.kubernetes_objects import pod
from tests.support.parts import SECOND, batch, encoded, raw_flow
from tests.support.stack import RunningStack

CLUSTER_AGENT, WORKER = "cluster-agent", "worker-1"
_SPANS = {"WINDOW__SIZE": "6s", "WINDOW__STEP": "2s", "WINDOW__GRACE": "1s"}
_PARTITIONS = 1
_PATIENCE_SECONDS = 180.0


class Pipeline:
    """Topics, templates and a directory of manifests of its own; processes start with what settings are given."""

    def __init__(self, stack: RunningStack, directory: Path) -> None:
        name = f"p{uuid.uuid4().hex[:10]}"
        self.stack = stack
        self.prefix = f"{name}."
        self.namespace = name
        self._directory = directory
        self._manifests = directory / "manifests"
        self._manifests.mkdir()
        self._producer = Producer({"bootstrap.servers": stack.kafka, "log_level": 0})
        self._sequence = 0
        set_up(
            Settings(
                kafka=KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=self.prefix, partitions=_PARTITIONS),
                elasticsearch=ElasticsearchSettings(hosts=stack.elasticsearch, namespace=name),
            ),
            is_dry=False,
        )

    def settings(self, **more: str) -> dict[str, str]:
        """Settings of a process, without their prefix."""
        return {
            **_SPANS,
            "KAFKA__BOOTSTRAP_SERVERS": self.stack.kafka,
            "KAFKA__TOPIC_PREFIX": self.prefix,
            "ELASTICSEARCH__HOSTS": self.stack.elasticsearch,
            "ELASTICSEARCH__NAMESPACE": self.namespace,
            **more,
        }

    def environment(self, **more: str) -> dict[str, str]:
        """The same as a process gets them."""
        return {f"CONNTRAIL_{name}": value for name, value in self.settings(**more).items()}

    def plan(self, **more: str) -> Plan:
        return Plan(self._directory, self._manifests, {}, self.settings(**more))

    @contextmanager
    def running(self, **more: str) -> Iterator[System]:
        """Cluster agent and worker, both ready."""
        system = System(self.plan(**more))
        try:
            system.start(lambda _: None)
            yield system
        finally:
            system.stop()

    def ended(self, module: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """A process that is expected to give up by itself."""
        own = {"CLUSTER_AGENT__MANIFESTS": str(self._manifests), "WORKER__ID": WORKER, "LOG__FORMAT": "json", **more}
        return subprocess.run(
            [sys.executable, "-m", module],
            env=self.environment(**own), capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False,
        )  # fmt: skip

    def add_pod(self, name: str, *addresses: str, node: str = "node1") -> None:
        """One that has run for a minute."""
        started_at_ns = time.time_ns() - 60 * SECOND
        manifest = pod(name, uid=f"uid-{name}", addresses=addresses, started_at_ns=started_at_ns, node=node)
        self.add_manifest(name, manifest)

    def send_flow(self, source: str, port: int) -> None:
        """What node1 saw within the last two seconds: one connection from an address to a port outside."""
        end = time.time_ns() // SECOND
        row = raw_flow(
            flow_key=port, connection_id=port, protocol=6, evidence="confirmed", end_reason="active", is_first=True,
            original_source_address=source, original_source_port=40000, original_destination_port=port,
            reply_source_port=port, reply_destination_address=source, reply_destination_port=40000, seen_reply=True,
            started_at_ns=(end - 1) * SECOND, seen_at_ns=(end - 1) * SECOND, state="established",
            original_packets=3, original_bytes=300, reply_packets=2, reply_bytes=200,
        )  # fmt: skip
        part = batch(sequence=self._sequence, start=end - 2, end=end)
        self._sequence += 1
        self.send_bytes(FLOWS_RAW, encoded(part, [row]), b"node1")

    def add_manifest(self, name: str, manifest: dict[str, Any]) -> None:
        """An object, whole at once."""
        fresh = self._manifests / f"{name}.fresh"
        fresh.write_text(json.dumps(manifest))
        fresh.replace(self._manifests / f"{name}.yaml")

    def send_exchanges(
        self, topic: Topic, node: str, end: int, rows: Sequence[Mapping[str, Any]], **facts: Any
    ) -> bytes:
        """What a node saw in the two seconds before ``end``, Unix time; returns the message."""
        part = batch(node, self._sequence, end - 2, end, **facts)
        self._sequence += 1
        timed = [
            {**row, "first_seen_at_ns": (end - 1) * SECOND, "last_seen_at_ns": (end - 1) * SECOND + 1} for row in rows
        ]
        value = encoded(part, timed, topic.schema)
        self.send_bytes(topic, value, node.encode())
        return value

    def send_bytes(self, topic: Topic, value: bytes, key: bytes | None = None) -> None:
        self._producer.produce(topic.full_name(self.prefix), value, key, partition=0)
        assert self._producer.flush(30) == 0

    def await_flow(self, port: int) -> dict[str, Any]:
        """The document of a connection, as soon as it is indexed."""
        return self.await_document("logs-conntrail.flow", lambda found: found["destination"]["port"] == port)

    def await_document(self, dataset: str, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first such document, as soon as it is indexed."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = self._documents_so_far(dataset)
            wanted = [document for document in found if is_wanted(document)]
            if wanted:
                return wanted[0]
            assert time.monotonic() < deadline, f"not among {len(found)} documents of {dataset}"
            time.sleep(0.2)

    def _documents_so_far(self, dataset: str) -> list[dict[str, Any]]:
        """None while an index that was just made has no shard to search."""
        try:
            return self.documents(dataset)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return []

    def documents(self, dataset: str) -> list[dict[str, Any]]:
        return sources(self.stack.elasticsearch, f"{dataset}-{self.namespace}-*")

    def values(self, topic: Topic) -> list[bytes]:
        """Everything that a topic holds."""
        name = topic.full_name(self.prefix)
        consumer = Consumer({"bootstrap.servers": self.stack.kafka, "group.id": "none", "enable.partition.eof": True})
        consumer.assign([TopicPartition(name, 0, 0)])
        values = []
        try:
            while True:
                message = consumer.poll(20)
                assert message is not None, "neither a message nor the end came"
                if message.error() is not None:
                    return values
                values.append(message.value() or b"")
        finally:
            consumer.close()


def run_command(environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """``conntrail …`` as people run it."""
    return subprocess.run(
        [sys.executable, "-m", "conntrail", *arguments],
        env=dict(environment), capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False,
    )  # fmt: skip
