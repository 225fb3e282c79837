"""From messages of dns.raw and l7.raw to records: decoded, named, echoes dropped, judged, encoded. Without Kafka."""

import os
import time
from collections.abc import Iterable
from typing import Any

from schemas.schema import read_schema
from schemas.single_object import SingleObjectCodec
from streams.dns.record import KIND as DNS
from streams.exchange.evaluate import evaluate_part
from streams.exchange.kind import Kind
from streams.exchange.record import Origin
from streams.exchange.report import Reports
from streams.l7.record import KIND as L7
from streams.policy.knowledge import Knowledge, Names
from streams.source.part import Part, PartDecoder
from tests.support.objects import Record, key_of, kubernetes_object, node, pod
from tests.support.parts import SECOND, batch, dns_exchange, encoded, l7_exchange

PODS, MESSAGES, ROWS = 200, 20, 1000
RUNS = 3


def run() -> list[dict[str, Any]]:
    """CPU time of one process; half of the rows are the far node's."""
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    names = known_names()
    return [figure(kind, row_of, names) for kind, row_of in ((DNS, dns_row), (L7, l7_row))]


def figure(kind: Kind, row_of: Any, names: Names) -> dict[str, Any]:
    """Of one kind."""
    messages = [
        encoded(batch(f"node{number % 2}", number // 2), [row_of(row) for row in range(ROWS)], kind.raw.schema)
        for number in range(MESSAGES)
    ]
    seconds = min(cpu_of(kind, messages, names) for _ in range(RUNS))
    return {
        "name": f"worker.{kind.result.name}",
        "value": 1e6 * seconds / (MESSAGES * ROWS),
        "unit": "µs of a core for a raw row, half of which are echoes",
        "ratio": None,
        "against": "",
        "aim": "none yet",
        "holds": None,
    }


def cpu_of(kind: Kind, messages: list[bytes], names: Names) -> float:
    """Seconds."""
    decoder = PartDecoder(read_schema(kind.raw.schema))
    codec = SingleObjectCodec(read_schema(kind.result.schema))
    start = time.process_time()
    parts = [part for part in decoder.decode_all(enumerate(messages)) if isinstance(part, Part)]
    reports = Reports()
    for part in parts:
        reports.note(part.batch)
    for part in parts:
        rows = evaluate_part(kind.prepare(part.rows), reports, names.directory).rows
        for _, record in kind.records(rows, names, Origin("bench", part.batch)):
            codec.encode(record)
    return time.process_time() - start


def known_names() -> Names:
    """Two nodes with pods, each of which a policy selects."""
    knowledge = Knowledge()
    for record in objects():
        knowledge.apply(key_of(record), record)
    return knowledge.names(0, 1)


def objects() -> Iterable[Record]:
    for number in (0, 1):
        yield node(f"node{number}", f"192.168.0.{number}")
        for place in range(PODS):
            workload = {"kind": "Deployment", "name": f"app{place % 20}"}
            yield pod(f"pod-{number}-{place}", f"10.0.{number}.{place}", node=f"node{number}", workload=workload)
    spec = '{"podSelector": {}, "ingress": [{}]}'
    yield kubernetes_object(
        "NetworkPolicy", "open", namespace="shop", uid="uid-open", api_version="networking.k8s.io/v1", spec_json=spec
    )


def dns_row(number: int) -> dict[str, Any]:
    return dns_exchange(
        **ends(number), protocol=17, name=f"name{number}.example", type="A", response_code="NOERROR",
        answers=["203.0.113.9"], **figures(),
    )  # fmt: skip


def l7_row(number: int) -> dict[str, Any]:
    return l7_exchange(
        **ends(number), protocol="http", method="GET", host="web", path=f"/orders/{number % 50}", status=200,
        **figures(),
    )  # fmt: skip


def ends(number: int) -> dict[str, Any]:
    server = f"10.0.1.{number * 7 % PODS}"
    return {
        "client_address": f"10.0.0.{number % PODS}", "server_address": server, "dialled_address": server,
        "server_port": 8080, "dialled_port": 8080,
    }  # fmt: skip


def figures() -> dict[str, Any]:
    return {
        "count": 10, "latency_us": list(range(100, 110)), "timed": 10, "latency_sum_us": 1045, "latency_max_us": 109,
        "first_seen_at_ns": 5 * SECOND, "last_seen_at_ns": 6 * SECOND,
    }  # fmt: skip
