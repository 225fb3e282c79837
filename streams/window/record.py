"""Groups of a window as Window records, and rules' hits as PolicyHit records (schemas/avro)."""

import hashlib
from collections.abc import Iterator
from typing import Any

import polars as pl

from streams.enrich.identity import Workload, WorkloadNumbers, workload_key, workload_kubernetes_record
from streams.enrich.wire import transport
from streams.metadata.directory import Directory
from streams.policy.verdict import policy_record, rule_record
from streams.window.aggregate import coverage_name
from streams.window.flow import Row, Stamp


def window_records(groups: pl.DataFrame, directory: Directory, stamp: Stamp) -> Iterator[tuple[str, Row]]:
    """Kafka key (source workload) and record of each group of ``aggregate``."""
    workloads = WorkloadNumbers(directory.endpoints).workloads
    for row in groups.iter_rows(named=True):
        source = _workload(workloads, row["source_workload"])
        destination = _workload(workloads, row["destination_workload"])
        service = _service(row, directory)
        yield (
            workload_key(source, row["source_outside"] or ""),
            {
                **_head(stamp, _window_key(row, source, destination, service)),
                "event": {
                    "start_ns": stamp.start_ns,
                    "end_ns": stamp.end_ns,
                    "duration_ns": stamp.end_ns - stamp.start_ns,
                    "action": row["action"],
                    "reason": row["reason"],
                },
                "flow": {
                    "coverage": coverage_name(row["coverage"]),
                    "evidence": row["evidence"],
                    "connections": {name: row[name] for name in ("started", "completed", "denied", "failed", "active")},
                },
                "network": _network(row),
                "source": _end(row, "source", source, 0),
                "destination": {
                    **_end(row, "destination", destination, row["port"] or 0),
                    "domain": None,
                    "service": service,
                },
                "tcp": _tcp(row),
                "policy": policy_record(row),
                "rule": rule_record(row),
            },
        )


def hit_records(hits: pl.DataFrame, stamp: Stamp) -> Iterator[tuple[str, Row]]:
    """Kafka key (policy) and record of each row of ``streams.policy``'s hits."""
    policy = ("kind", "namespace", "name", "uid", "tier", "rule", "direction", "action")
    figures = (
        "flows", "connections", "bytes", "packets", "allowed", "denied", "first_seen_ns", "last_seen_ns",
    )  # fmt: skip
    for row in hits.iter_rows(named=True):
        facts = {name: row[name] for name in policy}
        yield (
            f"{row['kind']}/{row['namespace']}/{row['name']}",
            {
                **_head(stamp, "|".join(str(value) for value in facts.values())),
                "event": {"start_ns": stamp.start_ns, "end_ns": stamp.end_ns},
                "policy": facts,
                **{name: row[name] for name in figures},
            },
        )


def _head(stamp: Stamp, key: str) -> Row:
    digest = hashlib.blake2b(f"{stamp.cluster}|{stamp.partition}|{key}".encode(), digest_size=12).hexdigest()
    return {
        "id": f"{digest}-{stamp.end_ns}",
        "revision": stamp.revision,
        "replaces": stamp.replaces,
        "cluster": stamp.cluster,
        "partition": stamp.partition,
        "timestamp_ns": stamp.end_ns,
    }


def _window_key(row: Row, source: Workload | None, destination: Workload | None, service: Row | None) -> str:
    """What tells this group from every other of its window, in words that no replay changes."""
    names = ("protocol", "direction", "action", "policy_verdict", "type", "port")
    parts: list[Any] = [source, destination, row["source_outside"], row["destination_outside"], service]
    return repr([*parts, *(row[name] for name in names), row["dialled_address"], row["dialled_port"]])


def _workload(workloads: list[Workload], number: int | None) -> Workload | None:
    return None if number is None else workloads[number]


def _service(row: Row, directory: Directory) -> Row | None:
    if row["service_index"] is None:
        return None
    service = directory.services[row["service_index"]]
    return {
        "name": service.name,
        "namespace": service.namespace,
        "ip": row["dialled_address"] or row["destination_outside"] or "",
        "port": row["dialled_port"] or row["port"] or 0,
    }


def _network(row: Row) -> Row:
    return {
        "transport": transport(row["protocol"]),
        "type": row["type"],
        "iana_number": row["protocol"],
        "protocol": None,
        "direction": row["direction"],
        "bytes": row["source_bytes"] + row["destination_bytes"],
        "packets": row["source_packets"] + row["destination_packets"],
        "community_id": None,
    }


def _end(row: Row, name: str, workload: Workload | None, port: int) -> Row:
    return {
        "ip": row[f"{name}_outside"] or "",
        "port": port,
        "bytes": row[f"{name}_bytes"],
        "packets": row[f"{name}_packets"],
        "kubernetes": None if workload is None else workload_kubernetes_record(workload),
        "process": None,
    }


def _tcp(row: Row) -> Row | None:
    if transport(row["protocol"]) != "tcp":
        return None
    rtt = None
    if row["rtt_max_us"] is not None:
        rtt = {"p50": row["rtt_p50_us"], "p95": row["rtt_p95_us"], "max": row["rtt_max_us"]}
    return {"rtt_us": rtt, "retransmits": row["tcp_retransmits"], "lost": row["tcp_lost"]}
