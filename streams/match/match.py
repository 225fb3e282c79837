"""Both ends' reports of a connection become one row, which counts it once.

The source node's figures count when its agent could see; otherwise the destination node's do. What the far end adds
is its view: its process, its socket, its evidence. The result depends on the rows, not on their order.
"""

from collections.abc import Set as AbstractSet
from typing import Final

import polars as pl

from streams.match.report import FIGURES, PROCESSES, per_reporter

_RANKS: Final = {"source": 0, "both": 0, "none": 1, "destination": 2}
_BOUNDARY: Final = ["flow_key", "ordinal", "protocol", "zone", "destination_port", "destination_address"]
_ADDED: Final = [
    *PROCESSES, *FIGURES, "attempts", "seen_reply", "evidence", "node", "role", "coverage", "interval_start_ns",
    "interval_end_ns",
]  # fmt: skip
"""What a further report can add to the one that counts."""


def match(enriched: pl.DataFrame, reporting: AbstractSet[str], node_names: pl.Series) -> pl.DataFrame:
    """One row a connection, sorted. ``reporting``: nodes whose agents could see. ``node_names``: by endpoint index.

    ``is_orphan``: only the far end reported it although the near end's agent could see; the caller decides.
    """
    reports = per_reporter(enriched)
    ranked = reports.with_columns(
        _is_echo(reports, reporting, node_names),
        pl.col("role").replace_strict(_RANKS, return_dtype=pl.UInt8).alias("rank"),
    ).sort("flow_key", "ordinal", "rank", "connection_id")
    is_first = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in _BOUNDARY).fill_null(value=True)
    positions = ranked.select(is_first.alias("is_first"))["is_first"]
    joined = ranked.filter(positions)
    further = ranked.filter(~positions)
    if further.height:
        joined = _add_views(joined, positions, further)
    return _result(joined)


def _is_echo(reports: pl.DataFrame, reporting: AbstractSet[str], node_names: pl.Series) -> pl.Series:
    """The far end's report of a connection that the near end's agent could see too."""
    nodes = node_names.gather(reports["source_index"]) if len(node_names) else pl.Series([None] * reports.height)
    is_seen = nodes.cast(pl.String).is_in(list(reporting)).fill_null(value=False)
    return ((reports["role"] == "destination") & is_seen).alias("is_echo")


def _add_views(joined: pl.DataFrame, positions: pl.Series, further: pl.DataFrame) -> pl.DataFrame:
    """Take from the further reports of each connection what the first does not say."""
    group = (positions.cast(pl.UInt32).cum_sum() - 1).alias("group")
    views = further.select(_ADDED).with_columns(group.filter(~positions))
    if views["group"].is_unique().all():
        views = views.with_columns(pl.concat_list("node").alias("nodes"), pl.concat_list("role").alias("roles"))
    else:
        views = _several(views)
    views = views.drop("node", "role", strict=False)
    both = joined.with_row_index("group").join(views, on="group", how="left", suffix="_view", maintain_order="left")
    return both.with_columns(
        *(pl.coalesce(name, f"{name}_view").alias(name) for name in (*PROCESSES, *FIGURES)),
        (pl.col("attempts") + pl.col("attempts_view").fill_null(0)).alias("attempts"),
        (pl.col("seen_reply") | pl.col("seen_reply_view").fill_null(value=False)).alias("seen_reply"),
        pl.max_horizontal("coverage", "coverage_view").alias("coverage"),
        pl.min_horizontal("interval_start_ns", "interval_start_ns_view").alias("interval_start_ns"),
        pl.max_horizontal("interval_end_ns", "interval_end_ns_view").alias("interval_end_ns"),
        pl.when(pl.col("evidence_view").is_null() | (pl.col("evidence") == pl.col("evidence_view")))
        .then("evidence")
        .otherwise(pl.concat_list("evidence", pl.col("evidence_view")).list.unique().list.sort())
        .alias("evidence"),
    )


def _several(views: pl.DataFrame) -> pl.DataFrame:
    """More than two nodes saw a connection: their views as one."""
    return (
        views.sort("group", "node")
        .group_by("group", maintain_order=True)
        .agg(
            *(pl.col(name).drop_nulls().first() for name in (*PROCESSES, *FIGURES)),
            pl.col("attempts").sum(),
            pl.col("seen_reply").any(),
            pl.col("evidence").explode().unique().sort(),
            pl.col("node").unique().alias("nodes"),
            pl.col("role").unique().alias("roles"),
            pl.col("coverage").max(),
            pl.col("interval_start_ns").min(),
            pl.col("interval_end_ns").max(),
        )
    )


def _result(joined: pl.DataFrame) -> pl.DataFrame:
    if "nodes" not in joined.columns:
        nothing = pl.lit(None, pl.List(pl.String))
        joined = joined.with_columns(nothing.alias("nodes"), nothing.alias("roles"))
    evidence = pl.col("evidence")
    own = pl.concat_list("node")
    return joined.select(
        pl.col("connection_id").alias("flow_id"), "flow_key", "protocol", "zone", "source_address", "source_port",
        "destination_address", "destination_port", "nat_address", "nat_port", "dialled_address", "dialled_port",
        "icmp_type", "icmp_code", "source_index", "destination_index", "service_index", "direction",
        pl.col("original_packets").alias("source_packets"),
        pl.col("original_bytes").alias("source_bytes"),
        pl.col("reply_packets").alias("destination_packets"),
        pl.col("reply_bytes").alias("destination_bytes"),
        _reporter().alias("reporter"),
        pl.col("node").alias("observer"),
        pl.when(pl.col("nodes").is_null()).then(own).otherwise(pl.concat_list(own, "nodes").list.unique().list.sort())
        .alias("observers"),
        pl.col("coverage").replace_strict([0, 1, 2], ["complete", "lossy", "blind"], return_dtype=pl.String),
        "is_first", "is_final", "end_reason", "state", "seen_reply",
        (evidence.list.contains("attempt") | evidence.list.contains("reject")).alias("is_attempt"),
        "attempts",
        _evidence().alias("evidence"),
        "started_at_ns", "seen_at_ns", "ended_at_ns", "interval_start_ns", "interval_end_ns",
        *PROCESSES, *FIGURES,
        pl.col("is_echo").alias("is_orphan"),
    ).sort("flow_id", "flow_key")  # fmt: skip


def _reporter() -> pl.Expr:
    roles = pl.col("roles").fill_null([])
    is_pair = ((pl.col("role") == "source") & roles.list.contains("destination")) | (
        (pl.col("role") == "destination") & roles.list.contains("source")
    )
    return (
        pl.when(is_pair | (pl.col("role") == "both"))
        .then(pl.lit("both"))
        .when(pl.col("role") == "destination")
        .then(pl.lit("destination"))
        .otherwise(pl.lit("source"))
    )


def _evidence() -> pl.Expr:
    """A connection that conntrack confirmed and nobody answered says so."""
    is_unreplied = pl.col("evidence").list.contains("confirmed") & ~pl.col("seen_reply")
    return (
        pl.when(is_unreplied)
        .then(pl.concat_list("evidence", pl.lit("unreplied")).list.sort())
        .otherwise(pl.col("evidence"))
    )
