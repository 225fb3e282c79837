"""The agent as a process, started as an operator starts it, and what it published."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Message

from agents.node.capability.right import RIGHTS, Right
from schemas.batch import Batch, parse_batch
from tests.integration.publish import topics
from tests.support.waiting import until

INTERVAL_NS = 10**9


def long_interval() -> str:
    """One that does not end within ten minutes: intervals end at multiples of themselves."""
    now = time.time()
    return f"{next(seconds for seconds in range(3600, 1800, -100) if now % seconds < seconds - 600)}s"


def with_rights(rights: Iterable[Right]) -> list[str]:
    """What to begin a command with, so that it has these capabilities and can get no others, as in a container."""
    names = ",".join(["-all", *(f"+{right.name.lower()}" for right in rights)])
    return ["setpriv", f"--bounding-set={names}", "--inh-caps=-all", "--"]


class AgentProcess:
    """One agent, with exactly the capabilities that the chart grants; each ``start`` is a new life of it."""

    def __init__(self, kafka: str, netns: str, directory: Path, prefix: str, *, keeps_state: bool = True) -> None:
        self._log = directory / "agent.log"
        self._environment = {
            **os.environ,
            "CONNTRAIL_KAFKA__BOOTSTRAP_SERVERS": kafka,
            "CONNTRAIL_KAFKA__TOPIC_PREFIX": prefix,
            "CONNTRAIL_AGENT__NODE": "node1",
            "CONNTRAIL_AGENT__NETNS": netns,
            "CONNTRAIL_AGENT__INTERVAL": "1s",
            "CONNTRAIL_LOG__FORMAT": "json",
        }
        if keeps_state:
            self._environment["CONNTRAIL_AGENT__STATE_DIRECTORY"] = str(directory / "state")
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self, *before: str, **settings: str) -> None:
        """``before``: a program with its arguments that becomes the agent, in place of what grants it these rights."""
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*(before or with_rights(RIGHTS)), sys.executable, "-m", "agents.node"],
                env=self._environment | settings,
                stderr=log,
            )
        until(lambda: self.is_over() or bool(self.entries("what this node can see")))

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        """End it as Kubernetes does; its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def is_over(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(90)

    def entries(self, event: str) -> list[dict[str, Any]]:
        """Log entries of this life with this text."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = [line for line in log.read().splitlines() if line.startswith(b"{")]
        return [entry for line in lines if (entry := json.loads(line))["event"] == event]

    def intervals_kept(self) -> list[Path]:
        """Intervals on disk: what Kafka has not confirmed."""
        return list((self._log.parent / "state").glob("*.interval"))

    def log(self) -> str:
        return self._log.read_text()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page that the agent serves."""
        [entry] = self.entries("serving metrics and health")
        try:
            with urllib.request.urlopen(f"http://{entry['address']}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _end(self, number: int) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(90)


class Published:
    """What a topic holds, each batch once however often it was sent."""

    def __init__(self, messages: list[Message]) -> None:
        self.batches: dict[tuple[str, int, int, int], Batch] = {}
        self.rows: list[dict[str, Any]] = []
        self.order: list[tuple[int, int]] = []
        """Partition and sequence, in the order of each partition."""
        for message in messages:
            reader = fastavro.reader(BytesIO(message.value()))
            batch = parse_batch(reader.metadata)
            name = (batch.boot, batch.sequence, batch.partition, batch.part)
            self.order.append((batch.partition, batch.sequence))
            assert batch.partition == message.partition()
            if name not in self.batches:
                self.batches[name] = batch
                self.rows += [row for row in reader if isinstance(row, dict)]

    def between(self, port: int) -> list[dict[str, Any]]:
        """Rows of connections that were dialled at this port."""
        return [row for row in self.rows if row["original_destination_port"] == port]

    def total(self, port: int) -> dict[str, tuple[int, int]]:
        """Packets and bytes by direction of all connections dialled at this port."""
        rows = self.between(port)
        return {
            direction: (
                sum(row[f"{direction}_packets"] for row in rows),
                sum(row[f"{direction}_bytes"] for row in rows),
            )
            for direction in ("original", "reply")
        }


def read(kafka: str, topic: str, partitions: int) -> Published:
    return Published(topics.read_all(kafka, topic, partitions))
