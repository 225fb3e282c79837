"""What rows of DnsExchange say in Dns records (schemas/avro/dns.avsc).

``event.action``: a question is ``answered`` when its server says what is (NOERROR) or that there is nothing (NXDOMAIN,
as each name of a search path but one gets it); ``failed`` when it answers anything else, since then the client knows as
little as before; ``timeout`` when no answer came; and ``cut`` stands for packets that the node did not show, and for
those of a client that it counted without their names.
"""

from typing import Final

import polars as pl

from schemas.topic import DNS, DNS_RAW
from streams.exchange.cut import DNS_LOSSES
from streams.exchange.judge import Judgement
from streams.exchange.kind import Kind
from streams.exchange.record import Row, Told
from streams.policy.judge import protocol_name
from streams.policy.verdict_cache import Asked

_PROTOCOL: Final = "dns"
_TIMEOUT: Final = "TIMEOUT"
_NO_NAME: Final = "NXDOMAIN"
_ANSWERED: Final = ("NOERROR", _NO_NAME)
_REFUSALS: Final = (_TIMEOUT, "REFUSED", _NO_NAME)
"""What a client gets whom a policy denies its question: silence, or what Cilium's proxy says. That is REFUSED unless
``tofqdns-dns-reject-response-code`` chooses ``nameError``, so NXDOMAIN proves nothing."""
_NOTHING: Final[Row] = {
    "network": {"transport": "", "type": "", "protocol": _PROTOCOL, "direction": ""},
    "dns": {
        "name": "", "question_type": "", "response_code": "", "answers": [], "time_to_live_seconds": None,
        "truncated": 0,
    },
}  # fmt: skip


def action_of(response_code: str) -> str:
    """What became of a question."""
    if response_code == _TIMEOUT:
        return "timeout"
    return "answered" if response_code in _ANSWERED else "failed"


def asked_of(row: Row) -> Asked | None:
    """The question as policies see it; None where it is not known."""
    if _is_nameless(row):
        return None
    return Asked(protocol_name(row["protocol"]), row["destination_port"], dns=row["name"])


def _is_nameless(row: Row) -> bool:
    """It stands for questions of its client for which the agent had no room: nothing of them is known."""
    return not row["name"] and not row["response_code"]


def _told(row: Row, judged: Judgement) -> Told:
    if _is_nameless(row):
        return Told("cut", f"{row['count']} {DNS_LOSSES['dns_overflow']}", _NOTHING)
    action = action_of(row["response_code"])
    facts = {
        "name": row["name"],
        "question_type": row["type"],
        "response_code": row["response_code"],
        "answers": row["answers"],
        "time_to_live_seconds": row["time_to_live_seconds"] if row["answers"] else None,
        "truncated": row["truncated"],
    }
    return Told(action, _reason(row, action, judged), {"dns": facts})


def _reason(row: Row, action: str, judged: Judgement) -> str | None:
    """What a denial explains, or may, is told with it."""
    if judged.is_drift:
        return judged.verdict.answer_reason
    if action == "answered" and not judged.is_denied:
        return None
    answer = "no answer" if action == "timeout" else row["response_code"]
    said = f"{answer} from {row['destination_address']}"
    return f"{said}; {judged.denial}" if judged.denial else said


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    is_nameless = (pl.col("name") == "") & (pl.col("response_code") == "")
    ends = [
        pl.when(is_nameless).then(pl.lit("")).otherwise(pl.col(name)).alias(name)
        for name in ("server_address", "dialled_address")
    ]
    return rows.with_columns(pl.lit(_PROTOCOL).alias("application"), *ends)


KIND: Final = Kind(
    DNS_RAW, DNS, DNS_LOSSES, _named, asked_of, lambda row: row["response_code"] not in _REFUSALS, _told, _NOTHING
)
