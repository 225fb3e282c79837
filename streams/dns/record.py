"""Named rows of DnsExchange as Dns records (schemas/avro/dns.avsc).

``event.action``: a question is ``answered`` when its server says what is (NOERROR) or that there is nothing (NXDOMAIN,
as each name of a search path but one gets it); ``failed`` when it answers anything else, since then the client knows as
little as before; ``timeout`` when no answer came; and ``cut`` stands for packets that the node did not show.
"""

from collections.abc import Iterator
from typing import Final

import polars as pl

from schemas.topic import DNS, DNS_RAW
from streams.exchange.cut import DNS_LOSSES, Cut
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
from streams.metadata.directory import Directory
from streams.policy.knowledge import Names

_PROTOCOL: Final = "dns"
_TIMEOUT: Final = "TIMEOUT"
_ANSWERED: Final = ("NOERROR", "NXDOMAIN")
_NOTHING: Final[Row] = {
    "name": "", "question_type": "", "response_code": "", "answers": [], "time_to_live_seconds": None, "truncated": 0,
}  # fmt: skip


def action_of(response_code: str) -> str:
    """What became of a question."""
    if response_code == _TIMEOUT:
        return "timeout"
    return "answered" if response_code in _ANSWERED else "failed"


def dns_records(rows: pl.DataFrame, names: Names, origin: Origin) -> Iterator[Keyed]:
    """Kafka key (client workload) and record of each row."""
    for row in records_of(rows):
        yield key_of(row, names.directory), _record(row, names.directory, origin)


def _record(row: Row, directory: Directory, origin: Origin) -> Row:
    action = action_of(row["response_code"])
    return {
        **head(origin, row["row"], row["count"]),
        "event": event(row, action, _reason(row, action)),
        "dns": {
            "name": row["name"],
            "question_type": row["type"],
            "response_code": row["response_code"],
            "answers": row["answers"],
            "time_to_live_seconds": row["time_to_live_seconds"] if row["answers"] else None,
            "truncated": row["truncated"],
        },
        "latency": latency_record(row),
        "network": network(row, _PROTOCOL),
        "source": source(row, directory),
        "destination": destination(row, directory),
    }


def _reason(row: Row, action: str) -> str | None:
    if action == "timeout":
        return f"no answer from {row['destination_address']}"
    return f"{row['response_code']} from {row['destination_address']}" if action == "failed" else None


def _cut(origin: Origin, cut: Cut) -> Keyed:
    key, record = cut_record(origin, cut, _PROTOCOL)
    return key, {**record, "dns": _NOTHING}


KIND: Final = Kind(DNS_RAW, DNS, DNS_LOSSES, lambda rows: rows, dns_records, _cut)
