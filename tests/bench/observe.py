"""What ``conntrail observe`` costs on the past: records printed a second, and the memory that takes.

The peers read the same from the same servers, decode it and do nothing with it: a loop over confluent-kafka's messages,
and the client library's helpers.scan. Each runs in a process of its own; time is the CPU time of the process
without its start, memory the most that was resident.
"""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from typing import Any, Final

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.single_object import codec_of
from schemas.topic import FLOWS
from streams.index.documents import document_of
from tests.bench.index import flows, put_templates
from tests.support.index import ask, index_writer
from tests.support.stack import RunningStack, running_stack

FLOWS_SEEN: Final = 30_000
LEAST_KAFKA, LEAST_ELASTICSEARCH = 0.15, 0.3
MOST_MIB: Final = 400
_BATCH: Final = 1000
_PARTITIONS: Final = 3


def run() -> list[dict[str, Any]]:
    """Kafka and Elasticsearch, each with its peer."""
    namespace = f"b{uuid.uuid4().hex[:8]}"
    with running_stack() as stack:
        keep(stack, namespace)
        found = []
        for source, least in (("kafka", LEAST_KAFKA), ("elasticsearch", LEAST_ELASTICSEARCH)):
            ours, bare = (cost(stack, namespace, source, side) for side in ("ours", "bare"))
            found += rows(source, least, ours, bare)
        return found


def rows(source: str, least: float, ours: dict[str, float], bare: dict[str, float]) -> list[dict[str, Any]]:
    peer = {"kafka": "a bare loop of confluent-kafka", "elasticsearch": "a bare loop of helpers.scan"}[source]
    ratio = bare["seconds"] / ours["seconds"]
    return [
        {
            "name": f"observe.{source}",
            "value": FLOWS_SEEN / ours["seconds"],
            "unit": "flows of the past a second of a core, as -o jsonl",
            "ratio": ratio,
            "against": f"{peer}, which makes no documents, puts nothing in order and prints nothing",
            "aim": f"at least {least:g}",
            "holds": ratio >= least,
        },
        {
            "name": f"observe.{source}.memory",
            "value": ours["mebibytes"],
            "unit": f"MiB at most, of {FLOWS_SEEN} flows",
            "ratio": ours["mebibytes"] / bare["mebibytes"],
            "against": peer,
            "aim": f"at most {MOST_MIB} MiB",
            "holds": ours["mebibytes"] <= MOST_MIB,
        },
    ]


def keep(stack: RunningStack, namespace: str) -> None:
    """The same flows in both stores."""
    records = list(flows())[:FLOWS_SEEN]
    topic = FLOWS.full_name(f"{namespace}.")
    admin = AdminClient({"bootstrap.servers": stack.kafka, "log_level": 0})
    admin.create_topics([NewTopic(topic, _PARTITIONS, 1)])[topic].result()
    producer, encode = Producer({"bootstrap.servers": stack.kafka, "linger.ms": 50}), codec_of(FLOWS.schema).encode
    for number, record in enumerate(records):
        producer.produce(topic, encode(record), partition=number % _PARTITIONS)
        producer.poll(0)
    assert producer.flush(60) == 0
    put_templates(stack.elasticsearch, has_logsdb=False)

    async def index() -> None:
        writer, _ = index_writer(stack.elasticsearch)
        for first in range(0, len(records), _BATCH):
            await writer.index([document_of(FLOWS, record, namespace) for record in records[first : first + _BATCH]])
        await writer.close()

    asyncio.run(index())
    ask(stack.elasticsearch, "POST", f"logs-conntrail.flow-{namespace}-*/_refresh")


def cost(stack: RunningStack, namespace: str, source: str, side: str) -> dict[str, float]:
    """Seconds of CPU and MiB of a process that reads everything."""
    own = {"KAFKA__TOPIC_PREFIX": f"{namespace}.", "ELASTICSEARCH__NAMESPACE": namespace}
    environment = {**os.environ, **stack.environment(), **{f"CONNTRAIL_{name}": text for name, text in own.items()}}
    command = [sys.executable, "-m", "tests.support.observe_cost", side, source]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    figures = json.loads(answer.stderr.splitlines()[-1])
    assert figures["records"] == FLOWS_SEEN, figures
    found: dict[str, float] = figures
    return found
