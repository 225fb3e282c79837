"""Rows of denials.raw named and judged, and which of them should rather wait for what is not known yet.

A denial is told before the metadata of its time need be here: a pod that was just made, a policy that was just applied.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from streams.enrich.enrich import enrich
from streams.policy.judge import judge
from streams.policy.knowledge import Names
from streams.policy.outcome import is_unexplained

_ATTEMPTS: Final = ("attempt", "reject")
_IS_REFUSED: Final = (pl.col("told_evidence") == "confirmed") & (pl.col("end_reason") == "reset")
_NO_SOURCE: Final = pl.col("source_index").is_null()
_NO_DESTINATION: Final = pl.col("destination_index").is_null()
_IS_TRANSLATED: Final = pl.col("dialled_address").is_not_null()
_NOT_A_SERVICE: Final = pl.col("service_index").is_null()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is known of rows now, in their order."""

    rows: pl.DataFrame
    """Named and judged."""
    is_open: pl.Series
    """Whether each may be named or judged otherwise in a moment."""


def told_denials(raw: pl.DataFrame) -> pl.DataFrame:
    """The rows that tell of a denial or a refusal; no agent tells of anything else here."""
    is_refused = (pl.col("evidence") == "confirmed") & (pl.col("end_reason") == "reset")
    return raw.filter(pl.col("evidence").is_in(_ATTEMPTS) | is_refused)


def evaluate(raw: pl.DataFrame, names: Names) -> Evaluation:
    """``raw``: denials, at least one, with the facts of their batches."""
    rows = judge(_prepared(enrich(raw, names.directory)), names.directory, names.policies)
    is_open = rows.select(_is_unnamed().alias("is_open")).to_series() | is_unexplained(rows)
    return Evaluation(rows, is_open)


def is_echo(rows: pl.DataFrame) -> pl.Series:
    """Which named rows tell of a refusal that somebody else tells of, too.

    Every node on the way sees a reset: the source's counts, or the destination's where the source is outside. What
    the policies deny was rejected by a node that tells of its own rejection.
    """
    role = pl.col("role")
    is_own = role.is_in(["source", "both"]) | ((role == "destination") & _NO_SOURCE)
    return rows.select((_IS_REFUSED & (~is_own | (pl.col("policy_verdict") == "deny"))).alias("is_echo")).to_series()


def unnamed(rows: pl.DataFrame) -> int:
    """How many named rows have an end in the cluster that nobody is known to have."""
    return rows.filter(_is_unnamed()).height


def _prepared(enriched: pl.DataFrame) -> pl.DataFrame:
    """With the columns that judging asks of a connection that both nodes' reports are matched to."""
    names = pl.col("destination_names").list.join(" ")
    return enriched.with_columns(
        pl.col("evidence").alias("told_evidence"),
        _words().alias("evidence"),
        pl.col("evidence").is_in(_ATTEMPTS).alias("is_attempt"),
        pl.lit(value=True).alias("is_final"),
        pl.when(names != "").then(names).alias("destination_names"),
        pl.col("started_at_ns").alias("first_seen_at_ns"),
        pl.col("seen_at_ns").alias("last_seen_at_ns"),
    )


def _words() -> pl.Expr:
    """As flows have them: what conntrack confirmed and nobody but a reset answered is unreplied."""
    is_attempt = pl.col("evidence").is_in(_ATTEMPTS)
    return pl.when(is_attempt).then(pl.concat_list("evidence")).otherwise(pl.lit(["confirmed", "unreplied"]))


def _is_unnamed() -> pl.Expr:
    """An end lies in the cluster and nobody has its address, or nothing at all is known of either end."""
    direction = pl.col("direction")
    is_source = _NO_SOURCE & direction.is_in(["internal", "outbound"])
    is_inside = direction.is_in(["internal", "inbound"])
    # What a Service's own address is denied at is known; what it leads to must have a name.
    is_destination = _NO_DESTINATION & is_inside & (_NOT_A_SERVICE | _IS_TRANSLATED)
    return is_source | is_destination | (_NO_SOURCE & _NO_DESTINATION & _NOT_A_SERVICE)
