"""What records of exchanges of every kind have in common (schemas/avro/dns.avsc, l7.avsc)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.batch import Batch
from streams.enrich.identity import kubernetes_record, service_record, workload_key, workload_of
from streams.enrich.wire import network_type, transport
from streams.exchange.cut import Cut
from streams.metadata.directory import Directory
from streams.metadata.endpoint import Endpoint

Row = dict[str, Any]
Keyed = tuple[str, Row]
"""Kafka key and record."""
_NOWHERE: Row = {"ip": "", "kubernetes": None}


@dataclass(frozen=True, slots=True)
class Origin:
    """The part that records are made of."""

    cluster: str
    batch: Batch

    def id_of(self, what: int | str) -> str:
        """Identity of a row, or of what else the part tells: the same whenever and by whomever it is read."""
        batch = self.batch
        place = (batch.node, batch.boot, batch.sequence, batch.partition, batch.part)
        digest = hashlib.blake2b(repr((self.cluster, *place)).encode(), digest_size=12).hexdigest()
        return f"{digest}-{what}"


def records_of(rows: pl.DataFrame) -> Iterator[Row]:
    """Rows one by one; ``row`` is their place in the part."""
    return rows.iter_rows(named=True)


def key_of(row: Row, directory: Directory) -> str:
    """Kafka key: the client's workload."""
    client = _endpoint(directory, row["source_index"])
    return workload_key(workload_of(client) if client else None, row["source_address"])


def head(origin: Origin, what: int | str, count: int) -> Row:
    """What a record begins with."""
    return {
        "id": origin.id_of(what),
        "cluster": origin.cluster,
        "timestamp_ns": origin.batch.interval_end_ns,
        "count": count,
        "observer": {"name": origin.batch.node, "coverage": origin.batch.coverage},
    }


def event(row: Row, action: str, reason: str | None) -> Row:
    """The ``event`` record of a row."""
    start, end = sorted((row["first_seen_at_ns"], row["last_seen_at_ns"]))
    return {"start_ns": start, "end_ns": end, "duration_ns": end - start, "action": action, "reason": reason}


def network(row: Row, application: str) -> Row:
    """The ``network`` record of a row."""
    return {
        "transport": transport(row["protocol"]),
        "type": network_type(row["destination_address"]),
        "protocol": application,
        "direction": row["direction"],
    }


def source(row: Row, directory: Directory) -> Row:
    """The client."""
    endpoint = _endpoint(directory, row["source_index"])
    return {"ip": row["source_address"], "kubernetes": kubernetes_record(endpoint) if endpoint else None}


def destination(row: Row, directory: Directory) -> Row:
    """The server, and the Service that was dialled."""
    endpoint = _endpoint(directory, row["destination_index"])
    service = service_record(row, directory)
    return {
        "ip": row["destination_address"],
        "port": row["destination_port"],
        "kubernetes": kubernetes_record(endpoint, service["name"] if service else None) if endpoint else None,
        "service": service,
    }


def cut_record(origin: Origin, cut: Cut, application: str) -> Keyed:
    """A node's interval of which something is missing: nobody's exchange, so it has no ends. Key: the node."""
    start, end = origin.batch.interval_start_ns, origin.batch.interval_end_ns
    record = {
        **head(origin, "cut", cut.count),
        "event": {
            "start_ns": start, "end_ns": end, "duration_ns": end - start, "action": "cut", "reason": cut.reason,
        },
        "network": {"transport": "", "type": "", "protocol": application, "direction": ""},
        "latency": dict.fromkeys(("mean_us", "p50_us", "p95_us", "max_us")),
        "source": _NOWHERE,
        "destination": {**_NOWHERE, "port": 0, "service": None},
    }  # fmt: skip
    return origin.batch.node, record


def _endpoint(directory: Directory, index: int | None) -> Endpoint | None:
    return None if index is None else directory.endpoints[index]
