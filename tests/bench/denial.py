"""From the first denied packet to its record on ``denials``: real kernel, agents, Kafka and worker.

Every part runs as in production, intervals and windows at their defaults. Each try is a packet from a pod that policies
cut off, to a port that it has not tried before, at any moment of the agent's turn.
"""

import contextlib
import random
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from agents.node.namespace.reader import entered
from conntrail.lab.main import Lab
from conntrail.lab.network.writer import namespace_path
from conntrail.setup.main import set_up
from conntrail.system.child import Child, Plan
from conntrail.system.writer import System
from runtime.settings import ElasticsearchSettings, KafkaSettings, Settings
from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from schemas.topic import DENIALS, Topic
from tests.support.stack import RunningStack, running_stack
from tests.support.waiting import until

TRIES = 50
AIM_SECONDS = 2.5
PARTITIONS = 3
CLIENT, SERVER = "guest/intruder", "data/postgres"
FIRST_PORT = 20_000
_PAUSE_SECONDS = (0.2, 1.2)


def run() -> list[dict[str, Any]]:
    with contextlib.ExitStack() as cleanup:
        directory = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        stack = cleanup.enter_context(running_stack())
        lab = Lab(directory / "lab", is_tied=True)
        cleanup.callback(lab.down)
        lab.up()
        prefix = cleanup.enter_context(running(stack, lab, directory, "denials"))
        denials = Arrivals(stack.kafka, prefix, DENIALS, lambda record: record["destination"]["port"])
        cleanup.callback(denials.stop)
        sent = _try(lab)
        until(lambda: len(denials.by_port) >= TRIES)
        unit = "s from the first denied packet to a subscriber of denials"
        return figures("denial.latency", unit, AIM_SECONDS, denials.seconds(sent))


@contextlib.contextmanager
def running(stack: RunningStack, lab: Lab, directory: Path, *stages: str) -> Iterator[str]:
    """Agents, cluster agent and a worker of these stages; gives the topic prefix that they use."""
    kafka = KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix="bench.", partitions=PARTITIONS)
    elasticsearch = ElasticsearchSettings(hosts=stack.elasticsearch, namespace="bench")
    set_up(Settings(kafka=kafka, elasticsearch=elasticsearch), is_dry=False)
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": stack.kafka,
        "KAFKA__TOPIC_PREFIX": kafka.topic_prefix,
    }
    plan = Plan(directory, lab.cluster_directory, lab.nodes, settings, workers=0)
    system = System(plan)
    try:
        system.start(lambda _: None)
        system.start_child(Child("worker", "streams", stages))
        yield kafka.topic_prefix
    finally:
        system.stop()


def _try(lab: Lab) -> dict[int, int]:
    """When each port's first packet left, Unix time in ns."""
    choice = random.Random(1)
    address = lab.pod(SERVER).addresses[0]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sent: dict[int, int] = {}
    with contextlib.ExitStack() as peers, entered(namespace_path(lab.pod(CLIENT).network_namespace)):
        for port in range(FIRST_PORT, FIRST_PORT + TRIES):
            time.sleep(choice.uniform(*_PAUSE_SECONDS))
            peer = peers.enter_context(socket.socket(family, socket.SOCK_STREAM))
            peer.setblocking(False)
            sent[port] = time.time_ns()
            peer.connect_ex((address, port))
    return sent


class Arrivals:
    """When a subscriber got the first record of each port."""

    def __init__(self, kafka: str, prefix: str, topic: Topic, port_of: Callable[[dict[str, Any]], int]) -> None:
        self.by_port: dict[int, int] = {}
        self._port_of = port_of
        self._codec = SingleObjectCodec(read_schema(topic.schema))
        self._consumer = Consumer({"bootstrap.servers": kafka, "group.id": "bench", "enable.auto.commit": False})
        name = topic.full_name(prefix)
        self._consumer.assign([TopicPartition(name, partition, 0) for partition in range(PARTITIONS)])
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def seconds(self, sent: dict[int, int]) -> list[float]:
        return [(self.by_port[port] - at_ns) / 1e9 for port, at_ns in sent.items()]

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def _poll(self) -> None:
        while not self._stopping.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None:
                port = self._port_of(self._codec.decode(message.value() or b""))
                if port >= FIRST_PORT:
                    self.by_port.setdefault(port, time.time_ns())


def figures(row: str, unit: str, aim: float, seconds: list[float]) -> list[dict[str, Any]]:
    quantiles = statistics.quantiles(seconds, n=100, method="inclusive")
    return [
        {
            "name": f"{row}: {name} of {len(seconds)} tries",
            "value": round(value, 2),
            "unit": unit,
            "ratio": round(value / aim, 2),
            "against": f"{aim} s",
            "aim": f"below {aim} s",
            "holds": value < aim,
        }
        for name, value in (("p50", quantiles[49]), ("p99", quantiles[98]))
    ]
