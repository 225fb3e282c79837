"""Judged rows as Flow records (schemas/avro/flow.avsc): one connection in one step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from streams.enrich.identity import kubernetes_record, service_record, workload_key, workload_of
from streams.enrich.wire import network_type, transport
from streams.metadata.directory import Directory
from streams.policy.verdict import policy_record, rule_record
from streams.window.community_id import community_id

Row = dict[str, Any]
_TCP = 6


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all records of one emission have in common."""

    cluster: str
    partition: int
    revision: int
    replaces: bool
    start_ns: int
    end_ns: int


def flow_records(judged: pl.DataFrame, directory: Directory, stamp: Stamp) -> Iterator[tuple[str, Row]]:
    """Kafka key (source workload) and record of each row."""
    for row in judged.iter_rows(named=True):
        source = _endpoint(directory, row["source_index"])
        key = workload_key(workload_of(source) if source else None, row["source_address"])
        yield key, _flow_record(row, directory, stamp)


def _endpoint(directory: Directory, index: int | None) -> Any:
    return None if index is None else directory.endpoints[index]


def _flow_record(row: Row, directory: Directory, stamp: Stamp) -> Row:
    identity = f"{row['flow_id'] & 0xFFFF_FFFF_FFFF_FFFF:016x}"
    # What began while its node had no agent, or was attempted in vain, is told in a later step than it began in.
    is_told_late = row["is_first"] and 0 < row["started_at_ns"] < stamp.start_ns
    # A node's clock may be ahead of the step.
    start = row["started_at_ns"] if is_told_late else min(max(row["started_at_ns"], stamp.start_ns), stamp.end_ns)
    end = min(max(row["ended_at_ns"] or row["seen_at_ns"], start), stamp.end_ns)
    return {
        "id": f"{identity}-{stamp.end_ns}",
        "revision": stamp.revision,
        "replaces": stamp.replaces,
        "cluster": stamp.cluster,
        "partition": stamp.partition,
        "timestamp_ns": stamp.end_ns,
        "event": {
            "start_ns": start,
            "end_ns": end,
            "duration_ns": end - start,
            "action": row["action"],
            "reason": row["reason"],
        },
        "flow": _flow_facts(row, identity),
        "network": _network(row),
        "source": _source(row, directory),
        "destination": _destination(row, directory),
        "tcp": _tcp(row),
        "policy": policy_record(row),
        "rule": rule_record(row),
        "observer": {"name": row["observer"], "nodes": row["observers"]},
    }


def _flow_facts(row: Row, identity: str) -> Row:
    return {
        "id": identity,
        "final": row["is_final"],
        "reporter": row["reporter"],
        "evidence": row["evidence"],
        "end_reason": row["end_reason"],
        "coverage": row["coverage"],
        "attempts": row["attempts"],
        "connections": {
            "started": int(row["is_first"]),
            "completed": int(row["is_final"]),
            "denied": int(row["is_first"] and row["action"] == "denied"),
            "failed": int(row["is_final"] and row["action"] == "failed"),
            "active": 1,
        },
    }


def _network(row: Row) -> Row:
    return {
        "transport": transport(row["protocol"]),
        "type": network_type(row["destination_address"]),
        "iana_number": row["protocol"],
        "protocol": row["application_protocol"],
        "direction": row["direction"],
        "bytes": row["source_bytes"] + row["destination_bytes"],
        "packets": row["source_packets"] + row["destination_packets"],
        "community_id": community_id(
            row["protocol"],
            (row["source_address"], row["source_port"]),
            (row["destination_address"], row["destination_port"]),
            (row["icmp_type"] or 0, row["icmp_code"] or 0),
        ),
    }


def _source(row: Row, directory: Directory) -> Row:
    endpoint = _endpoint(directory, row["source_index"])
    nat = row["nat_address"]
    return {
        "ip": row["source_address"],
        "port": row["source_port"],
        "bytes": row["source_bytes"],
        "packets": row["source_packets"],
        "kubernetes": kubernetes_record(endpoint) if endpoint else None,
        "process": _process(row, "source"),
        "nat": None if nat is None else {"ip": nat, "port": row["nat_port"] or 0},
    }


def _destination(row: Row, directory: Directory) -> Row:
    endpoint = _endpoint(directory, row["destination_index"])
    dialled = service_record(row, directory)
    return {
        "ip": row["destination_address"],
        "port": row["destination_port"],
        "bytes": row["destination_bytes"],
        "packets": row["destination_packets"],
        "kubernetes": kubernetes_record(endpoint, dialled["name"] if dialled else None) if endpoint else None,
        "process": _process(row, "destination"),
        "domain": _domain(row),
        "unnamed": row["is_destination_unnamed"] and row["direction"] == "outbound",
        "service": dialled,
    }


def _domain(row: Row) -> str | None:
    """The name that was looked up last."""
    names = row["destination_names"]
    return None if names is None else names.partition(" ")[0]


def _process(row: Row, end: str) -> Row | None:
    pid = row[f"{end}_process_id"]
    if pid is None:
        return None
    return {
        "pid": pid,
        "name": row[f"{end}_process_name"] or "",
        "executable": row[f"{end}_process_executable"] or "",
    }


def _tcp(row: Row) -> Row | None:
    if row["protocol"] != _TCP:
        return None
    names = ("rtt_us", "rtt_var_us", "retransmits", "lost", "delivery_rate")
    return {"state": row["state"], **{name: row[f"tcp_{name}"] for name in names}}
