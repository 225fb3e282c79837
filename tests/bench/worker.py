"""From Kafka to windows in Kafka: the worker's path against a bare loop that does the same with dictionaries.

Both read the same messages from the same broker on one core, name both ends, join the two reports of each
connection, aggregate per workload pair and port and produce the windows. The bare loop is confluent-kafka, fastavro
and dicts, without policies; ours evaluates policies too.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice, product
from typing import Any

import fastavro
import polars as pl
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from runtime.settings import KafkaSettings, SchemaRegistrySettings
from schemas.registry.reader import RegistryReader
from schemas.registry.writer import RegistryWriter
from schemas.schema import read_schema
from schemas.topic import FLOWS, POLICY_HITS, WINDOWS
from streams.enrich.enrich import enrich
from streams.match.match import match
from streams.policy.hits import hits
from streams.policy.judge import judge
from streams.policy.knowledge import Knowledge, Names
from streams.result.writer import ResultWriter
from streams.source.intake.processor import READ_TOGETHER
from streams.source.part import Part, PartDecoder
from streams.source.reader import LogReader
from streams.window.aggregate import aggregate
from streams.window.evaluate import Beside, evaluate_step
from streams.window.flow import Stamp, flow_records
from streams.window.record import hit_records, window_records
from tests.support.parts import SECOND, batch, encoded, raw_flow
from tests.support.stack import running_stack

PODS, STEPS, CONNECTIONS, PARTS = 200, 6, 10_000, 10
TOPIC = "bench.flows.raw"
WORKLOADS = 40
RUNS = 5
_UNREGISTERED = RegistryWriter(RegistryReader(SchemaRegistrySettings()))


def run() -> list[dict[str, Any]]:
    """CPU time of one process, threads of librdkafka included."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    with running_stack() as stack:
        settings = KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix="bench.")
        rows = prepare(settings)
        names = known_names()
        # Back to back, as under load: the memory of one run serves the next, and need not be asked for again.
        ours = min(cpu_of(lambda: worker_path(settings, names)) for _ in range(RUNS))
        bare = min(cpu_of(lambda: bare_loop(settings)) for _ in range(RUNS))
        flows = cpu_of(lambda: flow_path(settings, names)) / (STEPS * CONNECTIONS)
        matched = matched_steps(settings, names)
        in_policy = min(cpu_of(lambda: policy_path(matched, names)) for _ in range(RUNS))
    ratio, share = bare / ours, in_policy / ours
    return [
        {
            "name": "worker.windows",
            "value": rows / ours,
            "unit": "raw flows a second on one core, Kafka to windows",
            "ratio": ratio,
            "against": "confluent-kafka, fastavro and dicts",
            "aim": "at least 3",
            "holds": ratio >= 3,
        },
        {
            "name": "worker.policy",
            "value": 100 * share,
            "unit": f"% of that time, spent in policy: {2 * WORKLOADS} policies, verdicts remembered",
            "ratio": None,
            "against": "",
            "aim": "under 20",
            "holds": share < 0.2,
        },
        {
            "name": "worker.flows",
            "value": 1 / flows,
            "unit": "flow records a second on one core, built, encoded and produced",
            "ratio": None,
            "against": "",
            "aim": "none yet",
            "holds": None,
        },
    ]


def prepare(settings: KafkaSettings) -> int:
    """Fill the topic; return the number of rows."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    names = [TOPIC, *(f"bench.{topic.name}" for topic in (FLOWS, WINDOWS, POLICY_HITS))]
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        future.result()
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "compression.type": "lz4"})
    for step in range(STEPS):
        for node in (0, 1):
            for part in range(PARTS):
                of = batch(f"node{node}", step, 10 * step, 10 * step + 10, part=part, parts=PARTS)
                producer.produce(TOPIC, encoded(of, list(rows_of(step, node, part))))
                producer.flush()
    return STEPS * CONNECTIONS * 2


def rows_of(step: int, node: int, part: int) -> Iterator[dict[str, Any]]:
    """Every connection goes from a pod of node0 to one of node1; both report it."""
    for number in range(part * CONNECTIONS // PARTS, (part + 1) * CONNECTIONS // PARTS):
        source, destination = f"10.0.0.{number % PODS}", f"10.0.1.{number * 7 % PODS}"
        yield raw_flow(
            flow_key=step * CONNECTIONS + number,
            connection_id=(step * CONNECTIONS + number) * 2 + node,
            protocol=6,
            original_source_address=source,
            original_source_port=1024 + number % 60000,
            original_destination_address=destination,
            original_destination_port=8000 + number % 10,
            reply_source_address=destination,
            reply_source_port=8000 + number % 10,
            reply_destination_address=source,
            reply_destination_port=1024 + number % 60000,
            original_packets=10,
            original_bytes=1000,
            reply_packets=8,
            reply_bytes=9000,
            started_at_ns=10 * step * SECOND + number,
            seen_at_ns=10 * step * SECOND + number,
            is_first=True,
            is_final=True,
            seen_reply=True,
            state="time_wait",
            end_reason="closed",
            evidence="confirmed",
            tcp_rtt_us=100 + number % 900,
        )


def known_names() -> Names:
    """Pods, and for each of their workloads a policy of either direction that isolates it and allows what is seen."""
    knowledge = Knowledge()
    blank = {field["name"]: field.get("default") for field in read_schema("kubernetes_object")["fields"]}
    for node in (0, 1):
        for number in range(PODS):
            pod = {
                **blank,
                "kind": "Pod",
                "api_version": "v1",
                "namespace": f"team{number % 4}",
                "name": f"pod{node}-{number}",
                "uid": f"{node}-{number}",
                "labels": {"app": f"app{number % WORKLOADS}"},
                "annotations": {},
                "node_name": f"node{node}",
                "workload": {"kind": "Deployment", "name": f"app{number % WORKLOADS}"},
                "addresses": [{"address": f"10.0.{node}.{number}", "assigned_at_ns": 0, "released_at_ns": None}],
                "ports": [],
            }
            knowledge.apply(f"Pod/{pod['namespace']}/{pod['name']}", pod)
    for number, direction in product(range(WORKLOADS), ("ingress", "egress")):
        policy = {
            **blank,
            "kind": "NetworkPolicy",
            "api_version": "networking.k8s.io/v1",
            "namespace": f"team{number % 4}",
            "name": f"{direction}-of-app{number}",
            "uid": f"{direction}-{number}",
            "labels": {},
            "annotations": {},
            "created_at_ns": 0,
            "observed_at_ns": 0,
            "spec_json": json.dumps(policy_spec(number, direction)),
        }
        knowledge.apply(f"NetworkPolicy/{policy['namespace']}/{policy['name']}", policy)
    return knowledge.names(0, version=1)


def policy_spec(number: int, direction: str) -> dict[str, Any]:
    """Three rules, of which the last two let everything through between them."""
    side = "from" if direction == "ingress" else "to"
    blocks = ["192.0.2.0/24", "10.0.0.0/24", "10.0.1.0/24"]
    return {
        "podSelector": {"matchLabels": {"app": f"app{number}"}},
        "policyTypes": [direction.title()],
        direction: [
            {side: [{"ipBlock": {"cidr": block}}], "ports": [{"port": 8000, "endPort": 8009}]} for block in blocks
        ],
    }


def read_messages(settings: KafkaSettings) -> Iterator[bytes]:
    """All messages, in batches as a consumer gives them."""
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": "bench"})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    left = STEPS * 2 * PARTS
    while left:
        for message in consumer.consume(min(100, left), timeout=5):
            value = message.value()
            assert value is not None
            left -= 1
            yield value
    consumer.close()


def worker_path(settings: KafkaSettings, names: Names) -> None:
    """Decode, name, join, judge, aggregate, produce."""
    log = LogReader(settings, "bench-progress")
    steps = decoded_steps(record.value or b"" for record in log.read(TOPIC, 0, 0, STEPS * 2 * PARTS))
    log.close()
    asyncio.run(emit(settings, names, steps))


def decoded_steps(values: Iterable[bytes]) -> list[list[Part]]:
    """Parts of each step of event time, read together as the worker reads them."""
    decoder = PartDecoder(read_schema("raw_flow"))
    steps: dict[int, list[Part]] = {}
    messages = enumerate(values)
    while together := list(islice(messages, READ_TOGETHER)):
        for part in decoder.decode_all(together):
            assert isinstance(part, Part)
            steps.setdefault(part.batch.interval_start_ns, []).append(part)
    return list(steps.values())


async def emit(settings: KafkaSettings, names: Names, steps: list[list[Part]]) -> None:
    """One window of all steps."""
    writer = ResultWriter(settings, "bench", (WINDOWS, POLICY_HITS), _UNREGISTERED)
    writer.start()
    judged = pl.concat(
        [evaluate_step(parts, Beside([], []), {"node0", "node1"}, names, is_settled=False).judged for parts in steps]
    )
    stamp = Stamp("bench", 0, 1, False, 0, 60 * SECOND)
    for key, record in window_records(aggregate(judged, names.directory), names.directory, stamp):
        await writer.send(WINDOWS, key, record)
    for key, record in hit_records(hits(judged, names.policies), stamp):
        await writer.send(POLICY_HITS, key, record)
    await writer.delivered()


def matched_steps(settings: KafkaSettings, names: Names) -> list[pl.DataFrame]:
    """What comes before the policies."""
    steps = decoded_steps(read_messages(settings))
    enriched = (enrich(pl.concat([part.rows for part in parts]), names.directory) for parts in steps)
    return [match(rows, {"node0", "node1"}, names.directory.node_names) for rows in enriched]


def policy_path(matched: list[pl.DataFrame], names: Names) -> None:
    """Verdicts, what became of each connection, and the hits of the rules."""
    judged = pl.concat([judge(rows, names.directory, names.policies) for rows in matched])
    hits(judged, names.policies)


def flow_path(settings: KafkaSettings, names: Names) -> None:
    """What the documents of single flows cost on top."""
    steps = decoded_steps(read_messages(settings))

    async def send_all() -> None:
        writer = ResultWriter(settings, "bench", (FLOWS,), _UNREGISTERED)
        writer.start()
        stamp = Stamp("bench", 0, 1, False, 0, 60 * SECOND)
        for parts in steps:
            judged = evaluate_step(parts, Beside([], []), {"node0", "node1"}, names, is_settled=False).judged
            for key, record in flow_records(judged, names.directory, stamp):
                await writer.send(FLOWS, key, record)
        await writer.delivered()

    asyncio.run(send_all())


def bare_loop(settings: KafkaSettings) -> None:
    """The same with what everybody would reach for first."""
    names = {f"10.0.{node}.{n}": (f"team{n % 4}", f"app{n % 40}") for node in (0, 1) for n in range(PODS)}
    pending: dict[int, dict[str, Any]] = {}
    windows: dict[tuple[Any, ...], list[int]] = {}
    for value in read_messages(settings):
        for row in fastavro.reader(BytesIO(value)):
            assert isinstance(row, dict)
            other = pending.pop(row["flow_key"], None)
            if other is None:
                pending[row["flow_key"]] = row
                continue
            source, destination = names.get(row["original_source_address"]), names.get(row["reply_source_address"])
            totals = windows.setdefault((source, destination, row["reply_source_port"]), [0, 0, 0, 0])
            totals[0] += row["original_bytes"]
            totals[1] += row["reply_bytes"]
            totals[2] += row["is_first"]
            totals[3] = max(totals[3], row["tcp_rtt_us"] or 0)
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "compression.type": "lz4"})
    for key, totals in windows.items():
        producer.produce("bench.windows", repr((key, totals)).encode())
        producer.poll(0)
    producer.flush()


def cpu_of(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
