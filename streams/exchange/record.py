"""What records of exchanges of every kind have in common (schemas/avro/dns.avsc, l7.avsc)."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from schemas.batch import Batch
from streams.enrich.identity import kubernetes_record, service_record, workload_key, workload_of
from streams.enrich.wire import network_type, transport
from streams.exchange.cut import Cut
from streams.exchange.latency import latency_record
from streams.metadata.directory import Directory
from streams.metadata.endpoint import Endpoint

Row = dict[str, Any]
Keyed = tuple[str, Row]
"""Kafka key and record."""
NOWHERE: Final[Row] = {"ip": "", "kubernetes": None}
"""An end that is nobody's."""


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


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a row besides its ends and figures."""

    action: str
    reason: str | None
    facts: Row
    """Fields that only one kind has."""


def key_of(row: Row, directory: Directory) -> str:
    """Kafka key: the client's workload."""
    client = _endpoint(directory, row["source_index"])
    return workload_key(workload_of(client) if client else None, row["source_address"])


def exchange_record(row: Row, directory: Directory, origin: Origin, told: Told) -> Row:
    """The record of a row, but for what the policies say of it."""
    start, end = sorted((row["first_seen_at_ns"], row["last_seen_at_ns"]))
    return {
        **_head(origin, row["row"], row["count"]),
        "event": event_record(start, end, told.action, told.reason),
        "latency": latency_record(row),
        "network": {
            "transport": transport(row["protocol"]),
            "type": network_type(row["destination_address"]),
            "protocol": row["application"],
            "direction": row["direction"],
        },
        "source": source_record(row, directory),
        "destination": destination_record(row, directory),
        **told.facts,
    }


def cut_record(origin: Origin, cut: Cut) -> Row:
    """The record of a node's interval of which something is missing."""
    return {
        **_head(origin, "cut", cut.count),
        "event": event_record(origin.batch.interval_start_ns, origin.batch.interval_end_ns, "cut", cut.reason),
        "latency": dict.fromkeys(("mean_us", "p50_us", "p95_us", "max_us")),
        "network": {"transport": "", "type": "", "protocol": "", "direction": ""},
        "source": NOWHERE,
        "destination": {**NOWHERE, "port": 0, "service": None},
    }


def _head(origin: Origin, what: int | str, count: int) -> Row:
    return {
        "id": origin.id_of(what),
        "cluster": origin.cluster,
        "timestamp_ns": origin.batch.interval_end_ns,
        "count": count,
        "observer": {"name": origin.batch.node, "coverage": origin.batch.coverage},
    }


def event_record(start_ns: int, end_ns: int, action: str, reason: str | None) -> Row:
    """When it was, and what became of it."""
    return {
        "start_ns": start_ns, "end_ns": end_ns, "duration_ns": end_ns - start_ns, "action": action, "reason": reason,
    }  # fmt: skip


def source_record(row: Row, directory: Directory) -> Row:
    """The client; rows of DNS stand for many of its ports and tell none."""
    endpoint = _endpoint(directory, row["source_index"])
    end = {"ip": row["source_address"], "kubernetes": kubernetes_record(endpoint) if endpoint else None}
    return {**end, "port": row["client_port"]} if "client_port" in row else end


def destination_record(row: Row, directory: Directory) -> Row:
    """The server, and the Service that was dialled."""
    endpoint = _endpoint(directory, row["destination_index"])
    service = service_record(row, directory)
    return {
        "ip": row["destination_address"],
        "port": row["destination_port"],
        "kubernetes": kubernetes_record(endpoint, service["name"] if service else None) if endpoint else None,
        "service": service,
    }


def _endpoint(directory: Directory, index: int | None) -> Endpoint | None:
    return None if index is None else directory.endpoints[index]
