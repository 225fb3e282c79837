"""Named rows of L7Exchange as L7 records (schemas/avro/l7.avsc).

``event.action``: ``answered``; ``error`` when the status is 500 or above, the server's own fault; ``unanswered`` when
no answer was seen; ``hello`` for TLS, of which only the beginning can be read; ``cut`` for what the node did not show.
"""

from collections.abc import Iterator
from typing import Final

import polars as pl

from schemas.topic import L7, L7_RAW
from streams.exchange.cut import APPLICATION_LOSSES, Cut
from streams.exchange.kind import Kind
from streams.exchange.latency import latency_record
from streams.exchange.record import (
    Keyed,
    Origin,
    Row,
    cut_record,
    destination,
    event,
    head,
    key_of,
    network,
    records_of,
    source,
)
from streams.l7.judge import NO_VERDICT, Judge, on_tcp, policy_record
from streams.metadata.directory import Directory
from streams.policy.knowledge import Names
from streams.policy.verdict import Verdict, rule_record

_TLS: Final = "tls"
_SERVER_ERROR: Final = 500
_NO_HTTP: Final[Row] = {
    "method": "", "status": 0, "version": "", "host": "", "path": "", "user_agent": "", "request_id": "",
    "trace_parent": "",
}  # fmt: skip
_NO_TLS: Final[Row] = {"server_name": "", "version": "", "alpn": [], "ja4": ""}


def action_of(application: str, status: int) -> str:
    """What became of an exchange."""
    if application == _TLS:
        return "hello"
    if not status:
        return "unanswered"
    return "error" if status >= _SERVER_ERROR else "answered"


def l7_records(rows: pl.DataFrame, names: Names, origin: Origin) -> Iterator[Keyed]:
    """Kafka key (client workload) and record of each row."""
    judge = Judge(names.directory, names.policies)
    for row in records_of(rows):
        yield key_of(row, names.directory), _record(row, names.directory, judge, origin)


def _record(row: Row, directory: Directory, judge: Judge, origin: Origin) -> Row:
    verdict = judge.verdict(row)
    action = action_of(row["application"], row["status"])
    is_drift = judge.has_drift(row, verdict)
    return {
        **head(origin, row["row"], row["count"]),
        "event": event(row, action, _reason(row, action, verdict, is_drift=is_drift)),
        "http": _NO_HTTP if row["application"] == _TLS else _http(row),
        "tls": _tls(row) if row["application"] == _TLS else _NO_TLS,
        "latency": latency_record(row),
        "network": network(row, row["application"]),
        "source": {**source(row, directory), "port": row["client_port"]},
        "destination": destination(row, directory),
        "policy": policy_record(verdict, is_drift=is_drift),
        "rule": _rule(verdict),
    }


def _http(row: Row) -> Row:
    names = ("method", "status", "host", "path", "user_agent", "request_id", "trace_parent")
    return {**{name: row[name] for name in names}, "version": row["http_version"]}


def _tls(row: Row) -> Row:
    return {
        "server_name": row["host"], "version": row["tls_version"], "alpn": row["tls_alpn"], "ja4": row["tls_ja4"],
    }  # fmt: skip


def _reason(row: Row, action: str, verdict: Verdict, *, is_drift: bool) -> str | None:
    if is_drift:
        return verdict.answer_reason
    if action == "unanswered":
        return verdict.silent_reason or "no answer was seen"
    return f"status {row['status']}" if action == "error" else None


def _rule(verdict: Verdict) -> Row | None:
    names = ("name", "id", "ruleset", "category", "uuid")
    return rule_record({f"rule_{name}": getattr(verdict, f"rule_{name}") for name in names})


def _cut(origin: Origin, cut: Cut) -> Keyed:
    key, record = cut_record(origin, cut, "")
    record["source"] = {**record["source"], "port": 0}
    nothing = {"http": _NO_HTTP, "tls": _NO_TLS, "policy": policy_record(NO_VERDICT, is_drift=False), "rule": None}
    return key, {**record, **nothing}


KIND: Final = Kind(L7_RAW, L7, APPLICATION_LOSSES, on_tcp, l7_records, _cut)
