"""One step of event time from parts to judged rows: named, both ends joined, policies evaluated."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from schemas.schema import read_schema
from schemas.topic import FLOWS_RAW
from streams.enrich.enrich import enrich
from streams.match.match import match
from streams.policy.judge import judge
from streams.policy.knowledge import Names
from streams.source.part import Part, empty_rows

_CONTEXT_BITS = 40
_SETTLED_BIT = 1 << _CONTEXT_BITS
_PARTS_SHIFT = _CONTEXT_BITS + 1


@dataclass(frozen=True, slots=True)
class Beside:
    """What was reported around a step."""

    neighbours: list[Part]
    """Of the steps on either side."""
    earlier: list[Part]
    """Of the step before those. An agent takes a denied attempt for one only when a second has passed since its last
    repetition, so its report may come two steps after that of the near end."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a step's parts say."""

    judged: pl.DataFrame
    has_orphans: bool
    """Rows of one end alone are there, whose fate depends on the steps beside; left out until those are known."""
    has_unknown: bool
    """An address had no name yet; metadata that comes later may give it one."""
    echoes: int
    """Rows of the far end that belong to a neighbouring step of the near end, and so were not counted again."""


def evaluate_step(
    parts: list[Part], beside: Beside, reporting: AbstractSet[str], names: Names, is_settled: bool
) -> Evaluation:
    """``reporting``: nodes whose agents could see in this step. ``is_settled``: what is beside is complete.

    The same arguments give the same rows, in the same order.
    """
    raw = pl.concat([part.rows for part in parts]) if parts else empty_rows(read_schema(FLOWS_RAW.schema))
    matched = match(enrich(raw, names.directory), reporting, names.directory.node_names)
    says_nothing = ~pl.col("is_first") & (pl.col("source_packets") + pl.col("destination_packets") == 0)
    orphans = matched.filter(pl.col("is_orphan") & ~says_nothing)
    kept = matched.filter(~pl.col("is_orphan"))
    echoes = matched.height - kept.height - orphans.height
    words = orphans.clear()
    if is_settled and orphans.height:
        alone = _seen_by_one_end(orphans, beside)
        words = _denials_by_the_far_end(orphans.join(alone, on="flow_id", how="anti"), beside)
        echoes += orphans.height - alone.height
        kept = pl.concat([kept, alone])
    judged = judge(pl.concat([kept, words]), names.directory, names.policies)
    if words.height:
        # Where the policies deny, the near end's report is a denial already.
        judged = judged.filter((pl.int_range(pl.len()) < kept.height) | pl.col("drift"))
    return Evaluation(
        judged=judged,
        has_orphans=bool(orphans.height),
        has_unknown=bool((judged["source_index"].is_null() | judged["destination_index"].is_null()).any()),
        echoes=echoes - (judged.height - kept.height),
    )


def revision(parts: int, is_settled: bool, context: int) -> int:
    """Higher means better informed: it grows with each part, then when the steps beside are known, then with
    ``context``, which grows with the metadata and with each part beside.
    """
    return (parts << _PARTS_SHIFT) | (_SETTLED_BIT if is_settled else 0) | min(context, _SETTLED_BIT - 1)


def _seen_by_one_end(orphans: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    """Orphans of which no other node reports anything around the step either.

    A connection's last bytes can cross the boundary of a step between the two nodes: the far end then reports
    them in the step after. They are in the near end's figures already.
    """
    echoes = [
        rows.join(_reported(parts, "flow_key"), on="flow_key").filter(pl.col("by") != pl.col("observer"))
        for rows, parts in ((orphans, beside.neighbours), (orphans.filter("is_attempt"), beside.earlier))
        if parts
    ]
    return orphans.join(pl.concat(echoes).select("flow_id"), on="flow_id", how="anti") if echoes else orphans


def _reported(parts: list[Part], *facts: str) -> pl.DataFrame:
    """What was reported, by whom."""
    return pl.concat([part.rows.select(*facts, pl.col("node").alias("by")) for part in parts]).unique()


def _denials_by_the_far_end(echoes: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    """Echoes that say more than the near end knows: the far node let nothing through of what nobody answered.

    They go on in the near end's flow, without figures: those were counted by the near end.
    """
    denials = echoes.filter(pl.col("is_attempt") & ~pl.col("seen_reply"))
    if not denials.height:
        return denials
    near = _reported([*beside.neighbours, *beside.earlier], "flow_key", "connection_id", "seen_reply", "started_at_ns")
    found = (
        denials.join(near, on="flow_key", suffix="_near")
        .filter(pl.col("by") != pl.col("observer"))
        .filter(~pl.col("seen_reply_near").any().over("flow_id"))
        .sort((pl.col("started_at_ns") - pl.col("started_at_ns_near")).abs(), "connection_id")
        .unique("flow_id", keep="first", maintain_order=True)
        .unique("connection_id", keep="first", maintain_order=True)
        .sort("flow_key", "flow_id")
    )
    figures = ("source_packets", "source_bytes", "destination_packets", "destination_bytes")
    return found.with_columns(
        pl.col("connection_id").alias("flow_id"),
        *(pl.lit(0, dtype=pl.Int64()).alias(name) for name in figures),
        is_first=pl.lit(value=False),
        is_final=pl.lit(value=False),
    ).select(echoes.columns)
