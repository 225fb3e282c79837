"""One row for each connection and reporting node: its intervals of a step added up, in order of time."""

from typing import Final

import polars as pl

PROCESSES: Final = [
    f"{end}_process_{fact}" for end in ("source", "destination") for fact in ("id", "name", "executable")
]
FIGURES: Final = ["tcp_rtt_us", "tcp_rtt_var_us", "tcp_retransmits", "tcp_lost", "tcp_delivery_rate"]
_SUMS: Final = ["original_packets", "original_bytes", "reply_packets", "reply_bytes", "attempts"]
_LAST: Final = [
    "source_address", "source_port", "destination_address", "destination_port", "nat_address", "nat_port",
    "dialled_address", "dialled_port", "icmp_type", "icmp_code", "source_index", "destination_index",
    "service_index", "direction", "role", "state", "end_reason", "seen_at_ns", "ended_at_ns",
]  # fmt: skip
_COVERAGES: Final = {"complete": 0, "lossy": 1, "blind": 2}
_KEY: Final = ["node", "flow_key", "protocol", "zone", "connection_id"]
_SPREAD: Final = 0x1E37_79B9_7F4A_7C15
"""An odd number with bits all over: node numbers times this do not cancel out in hashes that are added to."""


def per_reporter(enriched: pl.DataFrame) -> pl.DataFrame:
    """Adds ``ordinal``: the how-manieth connection of its five-tuple it is on its node, in order of their starts."""
    ranked = enriched.with_columns(pl.col("coverage").replace_strict(_COVERAGES, return_dtype=pl.UInt8))
    if _is_unique(ranked, "connection_id"):
        reports = ranked.with_columns(pl.concat_list("evidence"))
    else:
        reports = _added_up(ranked)
    if _is_unique(reports, "flow_key"):
        return reports.with_columns(pl.lit(1, pl.UInt32).alias("ordinal"))
    order = pl.struct("started_at_ns", "connection_id").rank("ordinal").over("node", "flow_key", "protocol", "zone")
    return reports.with_columns(order.cast(pl.UInt32).alias("ordinal"))


def _is_unique(rows: pl.DataFrame, name: str) -> bool:
    """Whether no node has a value twice. A false no costs time only."""
    number = rows["node"].cast(pl.Categorical).to_physical().cast(pl.Int64)
    return bool((rows[name] + number * _SPREAD).n_unique() == rows.height)


def _added_up(rows: pl.DataFrame) -> pl.DataFrame:
    ordered = rows.sort(["node", "connection_id", "interval_start_ns", "seen_at_ns", "is_final"])
    kept = [name for name in (*PROCESSES, *FIGURES) if name != "tcp_retransmits"]
    return ordered.group_by(_KEY, maintain_order=True).agg(
        *(pl.col(name).sum() for name in _SUMS),
        *(pl.col(name).last() for name in _LAST),
        *(pl.col(name).drop_nulls().last() for name in kept),
        pl.when(pl.col("tcp_retransmits").is_not_null().any()).then(pl.col("tcp_retransmits").sum()),
        pl.col("started_at_ns").min(),
        pl.col("interval_start_ns").min(),
        pl.col("interval_end_ns").max(),
        pl.col("is_first").any(),
        pl.col("is_final").any(),
        pl.col("seen_reply").any(),
        pl.col("evidence").unique().sort(),
        pl.col("coverage").max(),
    )
