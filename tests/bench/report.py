"""Reading a period into a report: against a bare scan of the same documents, and what it keeps in memory.

Windows are those of a mesh of workloads, and of a crowd in which every window has a pair of workloads and an end that
no other has: rows are bounded, however many there are. Memory is the peak of a process that reads one or the other and
writes the report as JSON, against one that finds nothing to read.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk, scan

from conntrail.policy.history.period import Period
from conntrail.report.evidence.build import build_report
from conntrail.report.fact import query
from conntrail.report.fact.facts import Scope
from conntrail.report.reader import PAGE, EvidenceIndex
from conntrail.report.render.json_file import json_file
from runtime.settings import ElasticsearchSettings, Settings
from schemas.topic import WINDOWS
from streams.index.documents import document_of
from tests.bench.index import put_templates
from tests.support.stack import running_stack
from tests.unit.streams.index.builders import AT_NS, window

MESH, CROWD, NOBODY = "mesh", "crowd", "nobody"
COUNTS: Final = {MESH: 60_000, CROWD: 60_000, NOBODY: 0}
"""Windows by the name of their cluster; of the crowd more than are kept while rows are sorted out (MAXIMUM_PAIRS)."""
WORKLOADS, RUNS = 40, 3
PERIOD: Final = Period(AT_NS // 10**6 - 3_600_000, AT_NS // 10**6 + 3_600_000)


def run() -> list[dict[str, Any]]:
    """Wall clock, since most of it waits for Elasticsearch; memory of processes of their own."""
    with running_stack() as stack:
        put_templates(stack.elasticsearch, has_logsdb=False)
        settings = Settings(
            elasticsearch=ElasticsearchSettings(hosts=stack.elasticsearch, namespace=f"b{uuid.uuid4().hex[:8]}")
        )
        write(settings)
        ours = fastest(lambda: read(settings, MESH))
        bare = fastest(lambda: bare_scan(settings))
        peaks = {name: in_a_process(settings, name) for name in COUNTS}
    return [
        {
            "name": "report.read",
            "value": COUNTS[MESH] / ours,
            "unit": "windows a second, from Elasticsearch to a report",
            "ratio": bare / ours,
            "against": "elasticsearch.helpers.scan over the same fields of the same documents",
            "aim": "at least 0.5",
            "holds": bare / ours >= 0.5,
        },
        memory_row("mesh", peaks[MESH], peaks[NOBODY], f"{COUNTS[MESH]:,} windows of {WORKLOADS} workloads", 1.5),
        memory_row("crowd", peaks[CROWD], peaks[NOBODY], f"{COUNTS[CROWD]:,} windows of as many pairs of workloads", 4),
    ]


def memory_row(name: str, peak: float, idle: float, read: str, aim: float) -> dict[str, Any]:
    return {
        "name": f"report.memory.{name}",
        "value": peak,
        "unit": f"MB at most, {read}",
        "ratio": peak / idle,
        "against": "a report of nothing",
        "aim": f"at most {aim:g}",
        "holds": peak / idle <= aim,
    }


def write(settings: Settings) -> None:
    namespace = settings.elasticsearch.namespace
    with Elasticsearch(settings.elasticsearch.hosts) as client:
        documents = (document_of(WINDOWS, record, namespace) for name in COUNTS for record in windows(name))
        done, _ = bulk(client, ({"_index": d.index, "_id": d.id, "_source": d.body} for d in documents))
        assert done == sum(COUNTS.values())
        client.indices.refresh(index=f"metrics-conntrail.window-{namespace}-*")


def windows(cluster: str) -> Iterator[dict[str, Any]]:
    chance = random.Random(5)
    most = WORKLOADS if cluster == MESH else COUNTS[cluster]
    for number in range(COUNTS[cluster]):
        record = window(f"{cluster}-{number}")
        record["cluster"] = cluster
        client = chance.randrange(most) if cluster == MESH else number
        server = (client + 1 + int(chance.paretovariate(1.2)) % 6) % most
        kubernetes = record["source"]["kubernetes"]
        record["source"]["kubernetes"] = {**kubernetes, "workload": {"kind": "Deployment", "name": f"app{client}"}}
        named = {**kubernetes, "workload": {"kind": "Deployment", "name": f"app{server}"}}
        record["destination"].update(ip="", port=8000 + server % 4, kubernetes=named)
        yield record


def read(settings: Settings, cluster: str) -> int:
    """Bytes of the report."""
    index = EvidenceIndex(settings)
    try:
        facts = index.read(Scope(cluster), PERIOD, PERIOD.since_ms)
        assert facts.windows.total() == COUNTS[cluster]
        return len(json_file(build_report(facts, PERIOD.until_ms, PERIOD.until_ms)).content)
    finally:
        index.close()


def bare_scan(settings: Settings) -> int:
    scope = Scope(MESH)
    search = query.windows(scope, PERIOD)
    body = {"query": search.query(scope), "_source": list(search.fields)}
    with Elasticsearch(settings.elasticsearch.hosts) as client:
        pattern = f"{search.dataset.template}-{settings.elasticsearch.namespace}-*"
        count = sum(1 for _ in scan(client, query=body, index=pattern, size=PAGE))
    assert count == COUNTS[MESH]
    return count


def fastest(act: Callable[[], int]) -> float:
    """Seconds."""
    found = []
    for _ in range(RUNS):
        start = time.perf_counter()
        act()
        found.append(time.perf_counter() - start)
    return min(found)


def in_a_process(settings: Settings, cluster: str) -> float:
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        return processes.submit(peak_megabytes, settings, cluster).result()


def peak_megabytes(settings: Settings, cluster: str) -> float:
    """Of this process, when it has read and written a report (proc(5), VmHWM)."""
    read(settings, cluster)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) / 1000
