"""Judged rows of a window, aggregated per workload pair, destination port, protocol and outcome.

Ports and addresses outside the cluster are chosen by whoever sends packets, so their number is capped: beyond
``MAXIMUM_GROUPS`` the smallest groups lose address and port and are added together, and no total changes.
"""

import polars as pl

from streams.enrich.identity import WorkloadNumbers, service_numbers
from streams.metadata.directory import Directory

MAXIMUM_GROUPS = 20_000
_IDENTITY = ["source_workload", "destination_workload", "protocol", "direction", "action", "policy_verdict", "type"]
_DETAIL = ["service_index", "dialled_address", "dialled_port", "source_outside", "destination_outside", "port"]
_LISTS = ["evidence", "ingress_policies", "egress_policies", "denied_by", "pending"]
_RULE = ["rule_name", "rule_id", "rule_ruleset", "rule_category", "rule_uuid", "reason"]
_SUMS = ["source_bytes", "source_packets", "destination_bytes", "destination_packets"]
_COVERAGES = ["complete", "lossy", "blind"]


def aggregate(judged: pl.DataFrame, directory: Directory, maximum_groups: int = MAXIMUM_GROUPS) -> pl.DataFrame:
    """One row a group, sorted by its key. Sums over the result equal sums over the input."""
    rules = judged.select(_RULE).unique().sort(_RULE, nulls_last=True).with_row_index("rule")
    rows = _with_keys(judged, directory).join(rules, on=_RULE, how="left", nulls_equal=True)
    groups = _group(rows)
    if groups.height > maximum_groups:
        groups = _group(_without_detail(rows, groups, maximum_groups // 2))
    groups = groups.with_columns(rules[name].gather(groups["rule"]) for name in _RULE).drop("rule")
    return groups.sort([*_IDENTITY, *_DETAIL], nulls_last=True)


def _with_keys(judged: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    numbers = WorkloadNumbers(directory.endpoints)
    is_ipv6 = pl.col("destination_address").str.contains(":", literal=True)
    return judged.with_columns(
        numbers.of(judged["source_index"]).alias("source_workload"),
        numbers.of(judged["destination_index"]).alias("destination_workload"),
        pl.when(pl.col("source_index").is_null()).then("source_address").alias("source_outside"),
        pl.when(pl.col("destination_index").is_null()).then("destination_address").alias("destination_outside"),
        pl.when(pl.col("service_index").is_not_null()).then("dialled_address").alias("dialled_address"),
        pl.when(pl.col("service_index").is_not_null()).then("dialled_port").alias("dialled_port"),
        service_numbers(directory.services).gather(judged["service_index"]).alias("service_index"),
        pl.when(is_ipv6).then(pl.lit("ipv6")).otherwise(pl.lit("ipv4")).alias("type"),
        pl.col("destination_port").alias("port"),
    )


def _group(rows: pl.DataFrame) -> pl.DataFrame:
    is_denied, is_failed = pl.col("action") == "denied", pl.col("action") == "failed"
    return rows.group_by([*_IDENTITY, *_DETAIL]).agg(
        *(pl.col(name).sum() for name in _SUMS),
        pl.len().cast(pl.Int64).alias("flows"),
        pl.col("is_first").sum().cast(pl.Int64).alias("started"),
        pl.col("is_final").sum().cast(pl.Int64).alias("completed"),
        (pl.col("is_first") & is_denied).sum().cast(pl.Int64).alias("denied"),
        (pl.col("is_final") & is_failed).sum().cast(pl.Int64).alias("failed"),
        pl.col("flow_id").n_unique().cast(pl.Int64).alias("active"),
        *(pl.col(name).explode(empty_as_null=False).drop_nulls().unique().sort() for name in _LISTS),
        # One rule as a whole: columns chosen one by one would tell of a rule that there is not.
        pl.col("rule").min(),
        pl.col("drift").any(),
        pl.col("coverage").replace_strict(_COVERAGES, [0, 1, 2], return_dtype=pl.UInt8).max(),
        pl.col("tcp_rtt_us").quantile(0.5, "nearest").cast(pl.Int64).alias("rtt_p50_us"),
        pl.col("tcp_rtt_us").quantile(0.95, "nearest").cast(pl.Int64).alias("rtt_p95_us"),
        pl.col("tcp_rtt_us").max().alias("rtt_max_us"),
        pl.col("tcp_retransmits").sum(),
        pl.col("tcp_lost").sum(),
    )


def _without_detail(rows: pl.DataFrame, groups: pl.DataFrame, kept_groups: int) -> pl.DataFrame:
    """Rows of the smallest groups, stripped of what makes those groups many."""
    kept = groups.sort(["flows", *_DETAIL, *_IDENTITY], descending=True).head(kept_groups)
    keys = [*_IDENTITY, *_DETAIL]
    large = rows.join(kept.select(keys), on=keys, how="semi", nulls_equal=True)
    small = rows.join(kept.select(keys), on=keys, how="anti", nulls_equal=True)
    return pl.concat([large, small.with_columns(pl.lit(None, small.schema[name]).alias(name) for name in _DETAIL)])


def coverage_name(rank: int) -> str:
    """Inverse of the rank by which the worst coverage is found."""
    return _COVERAGES[rank]
