"""Which rule of which policy decided how much, for the records of policy.hits (schemas/avro/policy_hit.avsc)."""

from typing import Final

import polars as pl

from streams.policy.timeline import PolicyTimeline

_HIT: Final = (
    r"^(?<kind>[^:]+):(?<namespace>[^/]*)/(?<name>[^:]+)(?::(?<tier>[^:]+))?:rule=(?<rule>-?\d+):(?<action>\w+)$"
)
_KEY: Final = ["hit", "direction"]
HITS: Final = {
    "kind": pl.String(),
    "namespace": pl.String(),
    "name": pl.String(),
    "uid": pl.String(),
    "tier": pl.String(),
    "rule": pl.Int32(),
    "direction": pl.String(),
    "action": pl.String(),
    "flows": pl.Int64(),
    "connections": pl.Int64(),
    "bytes": pl.Int64(),
    "packets": pl.Int64(),
    "allowed": pl.Int64(),
    "denied": pl.Int64(),
    "first_seen_ns": pl.Int64(),
    "last_seen_ns": pl.Int64(),
}


def hits(judged: pl.DataFrame, policies: PolicyTimeline) -> pl.DataFrame:
    """One row a policy, rule, direction and action, sorted; connections are counted where they begin.

    What a policy might have done, had it been understood, is no hit.

    Reads is_first, seen_at_ns and {source,destination}_{bytes,packets} besides what judge adds.
    """
    rows = pl.concat(_hits_of(judged, direction) for direction in ("egress", "ingress"))
    sums = rows.group_by(_KEY).agg(
        pl.len().cast(pl.Int64).alias("flows"),
        pl.col("is_first").sum().cast(pl.Int64).alias("connections"),
        pl.col("bytes").sum(),
        pl.col("packets").sum(),
        (pl.col("is_first") & (pl.col("outcome") == "allowed")).sum().cast(pl.Int64).alias("allowed"),
        (pl.col("is_first") & (pl.col("outcome") == "denied")).sum().cast(pl.Int64).alias("denied"),
        pl.col("first_seen_ns").min(),
        pl.col("last_seen_ns").max(),
    )
    named = sums.with_columns(pl.col("hit").str.extract_groups(_HIT).alias("parts")).unnest("parts")
    named = named.filter(pl.col("action").is_in(["allow", "deny", "pass"]))
    named = named.with_columns(pl.col("tier").fill_null(""))
    uids = [policies.uid_of(*row) for row in named.select("kind", "namespace", "name", "tier").iter_rows()]
    return (
        named.with_columns(pl.Series("uid", uids, dtype=pl.String))
        .select(pl.col(name).cast(kind) for name, kind in HITS.items())
        .sort("kind", "namespace", "name", "tier", "direction", "rule", "action")
    )


def _hits_of(judged: pl.DataFrame, direction: str) -> pl.DataFrame:
    hit = f"{direction}_policies"
    return (
        judged.filter(pl.col(hit).list.len() > 0)
        .select(
            pl.col(hit).alias("hit"),
            pl.lit(direction).alias("direction"),
            "is_first",
            pl.col("action").alias("outcome"),
            (pl.col("source_bytes") + pl.col("destination_bytes")).alias("bytes"),
            (pl.col("source_packets") + pl.col("destination_packets")).alias("packets"),
            pl.when("is_first").then("started_at_ns").otherwise("seen_at_ns").alias("first_seen_ns"),
            pl.col("seen_at_ns").alias("last_seen_ns"),
        )
        .explode("hit")
    )
