"""Judged rows as Denial records (schemas/avro/denial.avsc)."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from schemas.batch import Batch
from streams.denial.nearest import NearestMisses
from streams.enrich.wire import network_type, transport
from streams.exchange.cut import cut_of
from streams.exchange.record import Keyed, Row, destination_record, event_record, key_of, source_record
from streams.policy.knowledge import Names
from streams.policy.verdict import policy_record, rule_record

_LOSSES: Final = {"denials_overflow": "beyond what the node tells at once; flows have them"}
_IDENTITY: Final = (
    "protocol", "source_address", "destination_address", "destination_port", "dialled_address", "dialled_port",
    "told_evidence",
)  # fmt: skip
_MOMENT_NS: Final = 100_000_000
"""Agents tell what began in one tenth of a second together (agents/node/report/moment.py)."""
_NO_POLICY: Final[dict[str, Any]] = {
    "verdict": "none", "ingress": {"policies": []}, "egress": {"policies": []}, "denied_by": [], "pending": [],
    "drift": False,
}  # fmt: skip


def denial_records(rows: pl.DataFrame, names: Names, misses: NearestMisses, cluster: str) -> Iterator[Keyed]:
    """Kafka key (source workload) and record of each row of ``evaluate``."""
    for row in rows.iter_rows(named=True):
        yield key_of(row, names.directory), _record(row, names, misses, cluster)


def cut_record(cluster: str, batch: Batch) -> Keyed | None:
    """What the node did not tell, keyed by the node; None when it told all."""
    cut = cut_of(batch, _LOSSES)
    if cut is None:
        return None
    start, end = batch.interval_start_ns, batch.interval_end_ns
    place = (batch.node, batch.boot, batch.sequence)
    record = {
        "id": _digest("cut", cluster, *place),
        "cluster": cluster,
        "timestamp_ns": end,
        "event": event_record(start, end, "cut", cut.reason),
        "count": cut.count,
        "begun": 0,
        "evidence": [],
        "network": {"transport": "", "type": "", "iana_number": 0, "direction": ""},
        "source": {"ip": "", "kubernetes": None},
        "destination": {"ip": "", "port": 0, "kubernetes": None, "domain": None, "service": None},
        "policy": _NO_POLICY,
        "rule": None,
        "nearest_miss": None,
        "observer": {"name": batch.node, "coverage": batch.coverage},
    }  # fmt: skip
    return batch.node, record


def _record(row: Row, names: Names, misses: NearestMisses, cluster: str) -> Row:
    domains = row["destination_names"]
    start, end = sorted((row["first_seen_at_ns"], row["last_seen_at_ns"]))
    return {
        "id": _digest(cluster, *(row[name] for name in _IDENTITY), row["started_at_ns"] // _MOMENT_NS),
        "cluster": cluster,
        "timestamp_ns": row["interval_end_ns"],
        "event": event_record(start, end, row["action"], row["reason"]),
        "count": row["attempts"],
        "begun": row["begun"],
        "evidence": row["evidence"],
        "network": {
            "transport": transport(row["protocol"]),
            "type": network_type(row["destination_address"]),
            "iana_number": row["protocol"],
            "direction": row["direction"],
        },
        "source": source_record(row, names.directory),
        "destination": {
            **destination_record(row, names.directory),
            "domain": None if domains is None else domains.partition(" ")[0],
        },
        "policy": policy_record(row),
        "rule": rule_record(row),
        "nearest_miss": misses.of(row, names),
        "observer": {"name": row["node"], "coverage": row["coverage"]},
    }


def _digest(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
