"""One step of event time from parts to judged rows: named, both ends joined, policies evaluated."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from streams.enrich.enrich import enrich
from streams.match.match import match
from streams.metadata.directory import Directory
from streams.policy.judge import judge
from streams.policy.timeline import PolicyTimeline
from streams.source.part import Part, empty_rows

_VERSION_BITS = 40
_SETTLED_BIT = 1 << _VERSION_BITS
_PARTS_SHIFT = _VERSION_BITS + 1


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of the cluster: who is who, and which policies hold."""

    directory: Directory
    policies: PolicyTimeline


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a step's parts say."""

    judged: pl.DataFrame
    has_orphans: bool
    """Rows of one end alone were left out until the neighbouring steps are known."""
    has_unknown: bool
    """An address had no name yet; metadata that comes later may give it one."""
    echoes: int
    """Rows of the far end that belong to a neighbouring step of the near end, and so were not counted again."""


def evaluate_step(
    parts: list[Part], neighbours: list[Part], reporting: AbstractSet[str], names: Names, is_settled: bool
) -> Evaluation:
    """``reporting``: nodes whose agents could see in this step. ``is_settled``: the neighbours are complete.

    The same arguments give the same rows, in the same order.
    """
    raw = pl.concat([part.rows for part in parts]) if parts else empty_rows()
    matched = match(enrich(raw, names.directory), reporting, names.directory.node_names)
    says_nothing = ~pl.col("is_first") & (pl.col("source_packets") + pl.col("destination_packets") == 0)
    orphans = matched.filter(pl.col("is_orphan") & ~says_nothing)
    kept = matched.filter(~pl.col("is_orphan"))
    echoes = matched.height - kept.height - orphans.height
    if is_settled and orphans.height:
        alone = _seen_by_one_end(orphans, neighbours)
        echoes += orphans.height - alone.height
        kept = pl.concat([kept, alone])
    judged = judge(kept, names.directory, names.policies)
    return Evaluation(
        judged=judged,
        has_orphans=bool(orphans.height) and not is_settled,
        has_unknown=bool((judged["source_index"].is_null() | judged["destination_index"].is_null()).any()),
        echoes=echoes,
    )


def revision(parts: int, is_settled: bool, version: int) -> int:
    """Grows with each part, then with the neighbours, then with the metadata: higher means better informed."""
    return (parts << _PARTS_SHIFT) | (_SETTLED_BIT if is_settled else 0) | min(version, _SETTLED_BIT - 1)


def _seen_by_one_end(orphans: pl.DataFrame, neighbours: list[Part]) -> pl.DataFrame:
    """Orphans of which no other node reports anything in the neighbouring steps either.

    A connection's last bytes can cross the boundary of a step between the two nodes: the far end then reports
    them in the step after. They are in the near end's figures already.
    """
    if not neighbours:
        return orphans
    seen = pl.concat([part.rows.select("flow_key", pl.col("node").alias("by")) for part in neighbours]).unique()
    echoes = orphans.join(seen, on="flow_key").filter(pl.col("by") != pl.col("observer")).select("flow_id")
    return orphans.join(echoes, on="flow_id", how="anti")
