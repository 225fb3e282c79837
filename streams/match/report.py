"""One row for each connection and reporting node: its intervals of a step added up, in order of time."""

from typing import Final

import numpy as np
import polars as pl

from streams.match.columns import COVERAGES, ROLES, VIEWS
from streams.match.evidence import evidence_bits
from streams.match.group import Groups

_SUMS: Final = ["original_packets", "original_bytes", "reply_packets", "reply_bytes", "attempts"]
_FLAGS: Final = ("is_first", "is_final", "seen_reply", "is_destination_unnamed")
_ORDER: Final = [
    "interval_start_ns", "seen_at_ns", "is_final", "sequence", "evidence_bits", "original_bytes", "reply_bytes",
    "original_packets", "reply_packets", "attempts", "ended_at_ns", "started_at_ns", "state", "end_reason",
    *(name for names in VIEWS for name in names),
]  # fmt: skip
"""The first ones are time; the others only make the order the same whatever the order of the rows was."""


def per_reporter(enriched: pl.DataFrame) -> pl.DataFrame:
    """Adds ``evidence_bits``, ``coverage_rank``, ``role_bits`` and ``node_number``, which orders nodes by name."""
    rows = enriched.with_columns(
        evidence_bits(enriched["evidence"]).alias("evidence_bits"),
        _places(enriched["coverage"], COVERAGES).alias("coverage_rank"),
        _places(enriched["role"], ROLES).alias("role_bits"),
        _places(enriched["node"], enriched["node"].unique().sort()).alias("node_number"),
        pl.col("attempts").cast(pl.Int64),
        _told(pl.col("destination_names").list.join(" ")),
        _told(pl.col("application_protocol")),
    )
    identity = rows.select(
        pl.sum_horizontal(pl.col(name) * factor for name, factor in _SPREAD.items()).alias("identity")
    )["identity"]
    if identity.n_unique() == rows.height:
        return rows
    is_repeated = identity.is_duplicated()
    return pl.concat([rows.filter(~is_repeated), _added_up(rows.filter(is_repeated))])


def _told(text: pl.Expr) -> pl.Expr:
    """Null where it says nothing; names hold no space (RFC 1035, 5.1: it would be escaped)."""
    return pl.when(text != "").then(text)


def _places(words: pl.Series, order: pl.Series | list[str]) -> pl.Series:
    """Place of each word in an order; of an unknown one, the last."""
    return words.cast(pl.Enum(order), strict=False).to_physical().cast(pl.Int64).fill_null(len(order) - 1)


_SPREAD: Final = {
    "connection_id": 0x1E37_79B9_7F4A_7C15,
    "flow_key": 0x2545_F491_4F6C_DD1D,
    "node_number": 0x5851_F42D_4C95_7F2D,
}
"""Odd numbers with bits all over, so that what makes a row distinct does not cancel out in the sum, which wraps round.
Rows that are not distinct by it are only looked at more closely."""


def _added_up(rows: pl.DataFrame) -> pl.DataFrame:
    keys = ["node_number", "connection_id", "flow_key"]
    order = rows.select(pl.arg_sort_by(*keys, *_ORDER))["node_number"].to_numpy().astype(np.int64)
    ordered = rows.select(*keys)[order]
    is_first = ordered.select(
        pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in keys).fill_null(value=True)
    ).to_series()
    groups = Groups(order, is_first.to_numpy())
    views = [groups.last_told(rows.select(names)) for names in VIEWS]
    retransmits = groups.sum(rows["tcp_retransmits"].fill_null(0))
    return (
        rows[groups.last]
        .with_columns(
            *(pl.Series(name, groups.sum(rows[name])) for name in _SUMS),
            *(column for view in views for column in view),
            *(pl.Series(name, groups.min(rows[name])) for name in ("started_at_ns", "interval_start_ns")),
            *(pl.Series(name, groups.max(rows[name])) for name in ("interval_end_ns", "seen_at_ns", "coverage_rank")),
            *(pl.Series(name, groups.max(rows[name]) > 0) for name in _FLAGS),
            pl.Series("evidence_bits", groups.union(rows["evidence_bits"])),
        )
        .with_columns(
            pl.when(pl.col("tcp_retransmits").is_not_null()).then(pl.Series(retransmits)).alias("tcp_retransmits")
        )
    )
