"""Both ends' reports of a connection become one row, which counts it once.

The source node's figures count when its agent could see; otherwise the destination node's do. What the far end adds
is its view: its process, its socket, its evidence. The result depends on the rows, not on their order.
"""

from collections.abc import Set as AbstractSet
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from streams.match.columns import COVERAGES, DESTINATION_PROCESS, MATCHED, NAMES, SOURCE_PROCESS, VIEWS
from streams.match.evidence import evidence_lists, is_attempt, is_first_packet, with_unreplied
from streams.match.group import Groups, Numbers, differ
from streams.match.observer import observers
from streams.match.ordinal import ordinals
from streams.match.report import per_reporter

Hashes = npt.NDArray[np.uint64]
_RANKS: Final = np.array([1, 0, 2, 0])
"""By role, who counts first. A node between the ends that undoes NAT knows the real source, the far end does not."""
_REPORTERS: Final = pl.Series(["source", "source", "destination", "both"])
_MADE: Final = {"reporter", "observers", "is_attempt", "is_orphan"}
"""Columns that no single report has."""
_RENAMED: Final = {
    "connection_id": "flow_id", "original_packets": "source_packets", "original_bytes": "source_bytes",
    "reply_packets": "destination_packets", "reply_bytes": "destination_bytes", "node": "observer",
}  # fmt: skip
_TOLD_AS: Final = {new: old for old, new in _RENAMED.items()}
_READ: Final = [
    *(_TOLD_AS.get(name, name) for name in MATCHED if name not in _MADE),
    "reply_source_address", "reply_source_port", "reply_destination_address", "reply_destination_port",
    "role", "sequence",
]  # fmt: skip
"""Columns that are needed, of all those of the rows."""


def match(enriched: pl.DataFrame, reporting: AbstractSet[str], node_names: pl.Series) -> pl.DataFrame:
    """One row a connection, with the columns of MATCHED, sorted by flow key.

    ``enriched``: all rows of one step, of any nodes and intervals. ``reporting``: nodes whose agents could see.
    ``node_names``: of the directory, by endpoint index.
    """
    # The rows of a step come in many pieces, from which gathering is slow.
    rows = per_reporter(enriched.select(_READ).rechunk())
    sources, destinations = _end_hashes(rows, "reply_destination"), _end_hashes(rows, "reply_source")
    groups = _connections(rows, sources + destinations)
    is_reversed = destinations != groups.spread(destinations[groups.first])
    if is_reversed.any():
        rows = _turned(rows, pl.Series(is_reversed))
    return _result(rows, groups, _is_echo(rows, reporting, node_names))


def _end_hashes(rows: pl.DataFrame, end: str) -> Hashes:
    """One end as it is on the wire between the nodes; of both ends the sum does not depend on who was first."""
    hashes = (pl.col(f"{end}_address").hash() ^ pl.col(f"{end}_port").hash(seed=1)).hash()
    found: Hashes = rows.select(hashes.alias("hash"))["hash"].to_numpy()
    return found


def _connections(rows: pl.DataFrame, tuples: Hashes) -> Groups:
    """Reports of one connection together, the one that counts first.

    A node that reports several connections of one tuple had one after the other: its first goes with the first
    of another node, and so on.
    """
    facts = rows.select(pl.col("protocol").hash() ^ pl.col("zone").hash(seed=1))
    runs = _runs(rows["flow_key"], tuples + facts.to_series().to_numpy())
    places = ordinals(runs, rows)
    numbers = runs * (int(places.max(initial=0)) + 1) + places
    nodes, ranks = rows["node_number"].to_numpy(), _RANKS[rows["role_bits"].to_numpy()]
    by_node = (numbers * (int(_RANKS.max()) + 1) + ranks) * (int(nodes.max(initial=0)) + 1) + nodes
    order = _order(pl.Series(by_node * 2 + is_first_packet(rows["evidence_bits"].to_numpy())))
    return Groups(order, differ(numbers[order]))


def _runs(flow_keys: pl.Series, tuples: Hashes) -> Numbers:
    """A small number for each distinct tuple, in the order of flow keys. Two tuples may share a key by ill will."""
    keys = flow_keys.to_numpy()
    order = _order(flow_keys)
    is_new, is_other = differ(keys[order]), differ(tuples[order])
    if (is_other & ~is_new).any():
        order = np.lexsort((tuples, keys))
        is_new = differ(keys[order]) | differ(tuples[order])
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = np.cumsum(is_new)
    return numbers


def _order(numbers: pl.Series) -> Numbers:
    return numbers.arg_sort().to_numpy().astype(np.int64)


def _turned(rows: pl.DataFrame, is_reversed: pl.Series) -> pl.DataFrame:
    """A node that met a connection midway may take the ends for each other; what it adds is turned round."""
    pairs = [
        *zip(SOURCE_PROCESS, DESTINATION_PROCESS, strict=True),
        *zip(DESTINATION_PROCESS, SOURCE_PROCESS, strict=True),
    ]
    turned = pl.Series([0, 2, 1, 3]).gather(rows["role_bits"])
    return rows.with_columns(
        *(pl.when(is_reversed).then(other).otherwise(name).alias(name) for name, other in pairs),
        pl.when(is_reversed).then(turned).otherwise("role_bits").alias("role_bits"),
        # What it names is the far end as it sees it: the initiator here.
        *(pl.when(~is_reversed).then(name).alias(name) for name in NAMES),
        pl.col("is_destination_unnamed") & ~is_reversed,
    )


def _is_echo(rows: pl.DataFrame, reporting: AbstractSet[str], node_names: pl.Series) -> pl.Series:
    """The far end's report of a connection that the near end's agent could see too."""
    nodes = node_names.cast(pl.String).gather(rows["source_index"])
    return (rows["role"] == "destination") & nodes.is_in(list(reporting)).fill_null(value=False)


def _is_unnamed(rows: pl.DataFrame, groups: Groups, views: list[pl.DataFrame]) -> pl.Series:
    """Whether the initiator's node says so and no report has a name."""
    flags = pl.Series("is_destination_unnamed", groups.max(rows["is_destination_unnamed"]) > 0)
    return flags & views[VIEWS.index(NAMES)]["destination_names"].is_null()


def _result(rows: pl.DataFrame, groups: Groups, is_echo: pl.Series) -> pl.DataFrame:
    views = [groups.first_told(rows.select(names)) for names in VIEWS]
    seen_reply = groups.max(rows["seen_reply"]) > 0
    bits = groups.union(rows["evidence_bits"])
    added = [
        *(column for view in views for column in view),
        _REPORTERS.gather(pl.Series(groups.union(rows["role_bits"]))).alias("reporter"),
        observers(rows, groups).alias("observers"),
        pl.Series(COVERAGES).gather(pl.Series(groups.max(rows["coverage_rank"]))).alias("coverage"),
        pl.Series("seen_reply", seen_reply),
        pl.Series("is_attempt", is_attempt(bits)),
        _is_unnamed(rows, groups, views),
        pl.Series("attempts", groups.sum(rows["attempts"])),
        evidence_lists(with_unreplied(bits, seen_reply)).alias("evidence"),
        pl.Series("interval_start_ns", groups.min(rows["interval_start_ns"])),
        pl.Series("interval_end_ns", groups.max(rows["interval_end_ns"])),
        is_echo.gather(groups.first).alias("is_orphan"),
    ]
    names = {column.name for column in added}
    own = rows.rename(_RENAMED).select(name for name in MATCHED if name not in names)[groups.first]
    return own.hstack(added).select(*MATCHED)
