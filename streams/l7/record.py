"""What rows of L7Exchange say in L7 records (schemas/avro/l7.avsc).

``event.action``: ``answered``; ``error`` when the status is 500 or above, the server's own fault; ``unanswered`` when
no answer was seen; ``asked`` for HTTP/2, of whose answers none can be read; ``hello`` for TLS, of which only the
beginning can be read; ``cut`` for what the node did not show.
"""

from typing import Final

import polars as pl

from schemas.topic import L7, L7_RAW
from streams.exchange.cut import APPLICATION_LOSSES
from streams.exchange.judge import Judgement
from streams.exchange.kind import Kind
from streams.exchange.record import NOWHERE, Row, Told
from streams.policy.template import ANY, is_template, is_told
from streams.policy.verdict import Verdict
from streams.policy.verdict_cache import Asked

_TLS: Final = "tls"
_WITHOUT_ANSWERS: Final = frozenset({"http2", "grpc"})
"""Agents read their first requests alone, so that a missing answer says nothing."""
_SERVER_ERROR: Final = 500
_REFUSALS: Final = (0, 401, 403)
"""What a client gets whom a proxy enforces a policy against: no answer, or one of these. Cilium and Envoy say 403."""
_NO_HTTP: Final[Row] = {
    "method": "", "status": 0, "version": "", "host": "", "path": "", "user_agent": "", "request_id": "",
    "trace_parent": "",
}  # fmt: skip
_NO_TLS: Final[Row] = {"server_name": "", "version": "", "alpn": [], "ja4": ""}
_NOTHING: Final[Row] = {"http": _NO_HTTP, "tls": _NO_TLS, "source": {**NOWHERE, "port": 0}}


def action_of(application: str, status: int) -> str:
    """What became of an exchange."""
    if application == _TLS:
        return "hello"
    if not status:
        return "asked" if application in _WITHOUT_ANSWERS else "unanswered"
    return "error" if status >= _SERVER_ERROR else "answered"


def asked_of(row: Row) -> Asked:
    """The request as policies see it, with any path where none is told; without a method they see the connection."""
    method, path = row["method"], row["path"]
    http = (method, path if is_told(method, path) else ANY) if method else None
    return Asked("TCP", row["destination_port"], http=http)


def _is_served(row: Row) -> bool:
    return bool(row["method"]) and row["status"] not in _REFUSALS


def _told(row: Row, judged: Judgement) -> Told:
    action = action_of(row["application"], row["status"])
    is_tls = row["application"] == _TLS
    facts = {"http": _NO_HTTP if is_tls else _http(row), "tls": _tls(row) if is_tls else _NO_TLS}
    return Told(action, _reason(row, action, judged), facts)


def _http(row: Row) -> Row:
    names = ("method", "status", "host", "path", "user_agent", "request_id", "trace_parent")
    return {**{name: row[name] for name in names}, "version": row["http_version"]}


def _tls(row: Row) -> Row:
    return {
        "server_name": row["host"], "version": row["tls_version"], "alpn": row["tls_alpn"], "ja4": row["tls_ja4"],
    }  # fmt: skip


def _reason(row: Row, action: str, judged: Judgement) -> str | None:
    if judged.is_drift:
        return judged.verdict.answer_reason
    if action == "unanswered":
        return judged.verdict.silent_reason or "no answer was seen"
    if action == "error":
        return f"status {row['status']}"
    return _doubt(row, judged.verdict) if judged.verdict.policy_verdict == "unknown" else None


def _doubt(row: Row, verdict: Verdict) -> str | None:
    """Why the policies leave a request open, where its path may be the reason."""
    if row["method"] and not is_told(row["method"], row["path"]):
        return f"{verdict.words}: the path is not told"
    if is_template(row["path"]):
        return f"{verdict.words}: of the path only the template is known"
    return None


def _on_tcp(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows whose ``protocol`` is the application's, with that as ``application``."""
    return rows.rename({"protocol": "application"}).with_columns(pl.lit(6, dtype=pl.Int32()).alias("protocol"))


KIND: Final = Kind(L7_RAW, L7, APPLICATION_LOSSES, _on_tcp, asked_of, _is_served, _told, _NOTHING)
