"""From flow records to documents in a real Elasticsearch: the client's core, and the bytes that a flow takes on disk.

The peer is the client library's own bulk helper, given the same documents. Bytes are those of one merged
segment over all flows that were seen, left out ones included. Our node asks for no licence, so logsdb leaves the
original documents away, as it does with an enterprise licence.
"""

import asyncio
import random
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from prometheus_client import CollectorRegistry

from conntrail.setup.template.plan import wanted_objects
from conntrail.setup.template.writer import write_objects
from runtime.settings import ElasticsearchSettings
from schemas.topic import FLOWS
from streams.index.counters import IndexCounters
from streams.index.document import Record
from streams.index.documents import document_of
from streams.index.notable.book import EdgeBook
from streams.index.notable.writer import NotableFlows
from streams.index.template import ClusterFeatures
from streams.index.writer import IndexWriter
from tests.support.stack import running_stack
from tests.unit.streams.index.builders import AT_NS, flow

FLOWS_SEEN, BATCH, RUNS = 30_000, 1000, 2
WORKLOADS, PODS, STEPS = 40, 5, 60
STEP_NS, WINDOW_NS, KEPT_NS = 10 * 10**9, 60 * 10**9, 30 * 86_400 * 10**9
DENIED_SHARE, OUTSIDE_SHARE = 0.03, 0.05
PATTERN = "logs-conntrail.flow-{}-*"


def run() -> list[dict[str, Any]]:
    """Client: CPU time of this process. Stored: both levels, with and without logsdb."""
    records = list(flows())
    with running_stack() as stack:
        hosts = stack.elasticsearch
        stored: dict[tuple[str, bool], float] = {}
        for has_logsdb in (False, True):
            put_templates(hosts, has_logsdb)
            for level in ("all", "notable"):
                namespace = f"b{uuid.uuid4().hex[:8]}"
                ours_of(hosts, namespace, records, level)
                stored[level, has_logsdb] = stored_bytes(hosts, PATTERN.format(namespace)) / FLOWS_SEEN
        ours = min(ours_of(hosts, f"b{uuid.uuid4().hex[:8]}", records, "all") for _ in range(RUNS))
        bare = min(bare_of(hosts, f"b{uuid.uuid4().hex[:8]}", records) for _ in range(RUNS))
    plain = stored["all", False]
    return [
        {
            "name": "index.client",
            "value": FLOWS_SEEN / ours,
            "unit": "flows a second on one core of the client, record to indexed document",
            "ratio": bare / ours,
            "against": "the same documents by elasticsearch.helpers.bulk, which knows no revisions and does not wait",
            "aim": "at least 1",
            "holds": bare >= ours,
        },
        *(stored_row(level, has_logsdb, value, plain) for (level, has_logsdb), value in stored.items()),
    ]


def stored_row(level: str, has_logsdb: bool, value: float, plain: float) -> dict[str, Any]:
    kept = f"{DENIED_SHARE:.0%} denied, {OUTSIDE_SHARE:.0%} outside"
    return {
        "name": f"index.stored.{level}.{'logsdb' if has_logsdb else 'standard'}",
        "value": value,
        "unit": f"bytes on disk a flow seen ({kept})",
        "ratio": value / plain,
        "against": "all flows without logsdb",
        "aim": "none yet",
        "holds": None,
    }


def put_templates(hosts: str, has_logsdb: bool) -> None:
    features = ClusterFeatures(has_logsdb=has_logsdb, has_lifecycle=False)
    write_objects(ElasticsearchSettings(hosts=hosts), wanted_objects(features))


def ours_of(hosts: str, namespace: str, records: Sequence[Record], level: str) -> float:
    """CPU seconds of the index stage's part, after Avro."""

    async def index() -> float:
        writer = IndexWriter(ElasticsearchSettings(hosts=hosts), IndexCounters(CollectorRegistry()))
        book = EdgeBook(100_000, WINDOW_NS, KEPT_NS)
        chosen = NotableFlows(writer, book, "bench", namespace) if level == "notable" else None
        start = time.process_time()
        for first in range(0, len(records), BATCH):
            batch = records[first : first + BATCH]
            documents = [document_of(FLOWS, record, namespace) for record in batch]
            if chosen is not None:
                documents = [chosen.choose(FLOWS, *both) for both in zip(batch, documents, strict=True)]
            await writer.index(documents)
        seconds = time.process_time() - start
        await writer.close()
        return seconds

    return asyncio.run(index())


def bare_of(hosts: str, namespace: str, records: Sequence[Record]) -> float:
    """CPU seconds of the peer."""
    with Elasticsearch(hosts) as client:
        start = time.process_time()
        documents = (document_of(FLOWS, record, namespace) for record in records)
        actions = ({"_index": d.index, "_id": d.id, "_source": d.body} for d in documents)
        done, _ = bulk(client, actions, chunk_size=BATCH)
        seconds = time.process_time() - start
    assert done == len(records)
    return seconds


def stored_bytes(hosts: str, pattern: str) -> int:
    """Of one segment a shard."""
    with Elasticsearch(hosts, request_timeout=120) as client:
        client.indices.forcemerge(index=pattern, max_num_segments=1)
        client.indices.refresh(index=pattern)
        return int(client.indices.stats(index=pattern)["_all"]["primaries"]["store"]["size_in_bytes"])


def flows() -> Iterator[dict[str, Any]]:
    """Of a mesh of workloads over ten minutes, in the order of time; each like the last but for what differs."""
    chance = random.Random(7)
    for number in range(FLOWS_SEEN):
        step = number * STEPS // FLOWS_SEEN
        record = flow(f"{number:016x}-{step}", timestamp_ns=AT_NS - AT_NS % WINDOW_NS + (step + 1) * STEP_NS)
        client = chance.randrange(WORKLOADS)
        server = (client + 1 + int(chance.paretovariate(1.2)) % 6) % WORKLOADS
        place(record["source"], client, chance, chance.randrange(32768, 60999))
        place(record["destination"], server, chance, 8000 + server % 4)
        record["source"]["nat"] = None
        record["destination"]["service"].update(name=f"app{server}", ip=f"10.96.0.{server}")
        record["destination"]["domain"] = f"app{server}.shop.svc.cluster.local"
        record["flow"]["id"] = f"{chance.getrandbits(64):016x}"
        record["network"]["community_id"] = "1:" + b64encode(chance.randbytes(20)).decode()
        record["tcp"]["rtt_us"] = chance.randrange(80, 4000)
        judge(record, chance)
        yield record


def place(end: dict[str, Any], workload: int, chance: random.Random, port: int) -> None:
    pod = chance.randrange(PODS)
    name = f"app{workload}-7d9c6b5f4-{pod:05x}"
    end.update(
        ip=f"10.0.{workload}.{pod}", port=port, bytes=chance.randrange(200, 90_000), packets=chance.randrange(4, 90)
    )
    kubernetes = end["kubernetes"]
    kubernetes["namespace"] = f"team{workload % 8}"
    kubernetes["pod"] = {"name": name, "uid": str(uuid.UUID(int=workload << 64 | pod))}
    kubernetes["workload"] = {"kind": "Deployment", "name": f"app{workload}"}
    kubernetes["node"] = {"name": f"node{(workload + pod) % 6}"}
    kubernetes["labels"] = {"app": f"app{workload}", "pod-template-hash": "7d9c6b5f4"}
    end["process"]["pid"] = 1000 + workload * PODS + pod


def judge(record: dict[str, Any], chance: random.Random) -> None:
    if chance.random() < DENIED_SHARE:
        record["event"].update(action="denied", reason="no rule of shop/web allows it")
    elif chance.random() < OUTSIDE_SHARE:
        record["network"]["direction"] = "outbound"
        record["destination"].update(ip=f"198.51.100.{chance.randrange(200)}", kubernetes=None, service=None)
