"""The cluster agent as a process, and what its topic says."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import KUBERNETES_OBJECTS

Record = dict[str, Any]
_PARTITIONS = 3
_STOP_SECONDS = 20.0


def await_that(holds: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    """Poll until it holds; fail saying what did not."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


class ObjectsView:
    """The topic as a reader sees it: every record in the order of its partition, and the last of each key."""

    def __init__(self, kafka: str, prefix: str) -> None:
        name = KUBERNETES_OBJECTS.full_name(prefix)
        topic = NewTopic(name, _PARTITIONS, 1, config={"cleanup.policy": "compact"})
        admin = AdminClient({"bootstrap.servers": kafka})
        admin.create_topics([topic])[name].result(30)
        self.prefix = prefix
        self._codec = SingleObjectCodec(read_schema(KUBERNETES_OBJECTS.schema))
        self._consumer = Consumer({"bootstrap.servers": kafka, "group.id": name, "enable.auto.commit": False})
        self._consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in range(_PARTITIONS)])
        self.history: list[tuple[str, Record | None]] = []
        self.last: dict[str, Record | None] = {}

    def read(self) -> "ObjectsView":
        """Take in what has come."""
        while messages := self._consumer.consume(1000, timeout=0.1):
            for message in messages:
                assert message.error() is None, message.error()
                key, value = (message.key() or b"").decode(), message.value()
                record = None if value is None else self._codec.decode(value)
                self.history.append((key, record))
                self.last[key] = record
        return self

    def living(self) -> dict[str, Record]:
        """Objects that exist, by key."""
        return {key: record for key, record in self.last.items() if record and record["deleted_at_ns"] is None}

    def close(self) -> None:
        self._consumer.close()


def overlaps(view: ObjectsView) -> list[str]:
    """Pods that held an address at once, by the last record of each."""
    pods = {record["uid"]: record for _, record in view.history if record and record["kind"] == "Pod"}
    holds: dict[str, list[tuple[int, float, str]]] = {}
    for record in pods.values():
        for entry in [] if record["host_network"] else record["addresses"]:
            end = float("inf") if entry["released_at_ns"] is None else entry["released_at_ns"]
            holds.setdefault(entry["address"], []).append((entry["assigned_at_ns"], end, record["name"]))
    found = []
    for address, intervals in holds.items():
        ordered = sorted(intervals)
        for (_, end, former), (start, _, latter) in pairwise(ordered):
            if start < end:
                found.append(f"{address}: {former} and {latter}")
    return found


class AgentProcess:
    """A running cluster agent."""

    def __init__(self, process: "subprocess.Popen[str]", directory: Path) -> None:
        self.process = process
        self._address_file = directory / "address"

    def get(self, path: str) -> str:
        """What its HTTP side says."""
        with urllib.request.urlopen(f"http://{self._address_file.read_text().strip()}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def figure(self, line: str) -> float:
        """One sample of /metrics, by name and labels; 0 when it is not there."""
        samples = [text for text in self.get("/metrics").splitlines() if text.startswith(line + " ")]
        return float(samples[0].rpartition(" ")[2]) if samples else 0.0

    def is_ready(self) -> bool:
        assert self.process.poll() is None, "the agent has ended"
        try:
            return self.get("/readyz") == "ok\n"
        except OSError:
            return False

    def why_not_ready(self) -> str:
        """What /readyz says; empty while nobody answers."""
        try:
            return self.get("/readyz")
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError:
            return ""

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(_STOP_SECONDS)


@contextmanager
def running_agent(directory: Path, settings: Mapping[str, str]) -> Iterator[AgentProcess]:
    """An agent with these settings, names without their prefix."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "address").unlink(missing_ok=True)
    with (directory / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agents.cluster"],
            env=_environment({**settings, "HTTP__ADDRESS_FILE": str(directory / "address")}),
            stderr=log,
            text=True,
        )
    try:
        yield AgentProcess(process, directory)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ended_agent(settings: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """An agent that is expected to give up by itself."""
    return subprocess.run(
        [sys.executable, "-m", "agents.cluster"],
        env=_environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    ours = {f"CONNTRAIL_{name}": value for name, value in settings.items()}
    return {**{name: value for name, value in os.environ.items() if not name.startswith("CONNTRAIL_")}, **ours}
