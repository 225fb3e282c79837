"""Raw rows named: the real ends after NAT is undone, who held their addresses then, and the Service that was dialled.

A connection keeps the identity of its start, so a long one is never renamed and a replay gives the same names.
"""

from typing import Final

import polars as pl

from streams.enrich.lookup import TOLERANCE_NS, Dialled, Ends, Flags, directions, ends_of, indices, services_of
from streams.metadata.directory import Directory

ENRICHED: Final = {
    "source_address": pl.String(),
    "source_port": pl.Int32(),
    "destination_address": pl.String(),
    "destination_port": pl.Int32(),
    "nat_address": pl.String(),
    "nat_port": pl.Int32(),
    "dialled_address": pl.String(),
    "dialled_port": pl.Int32(),
    "source_index": pl.UInt32(),
    "destination_index": pl.UInt32(),
    "service_index": pl.UInt32(),
    "direction": pl.String(),
    "role": pl.String(),
}
"""Columns that are added. ``nat_…``: the source as the destination saw it, where that differs. ``dialled_…``: what the
source dialled, where that is not who answered. Indices are null where nobody had the address."""
_ROLES: Final = pl.Series(["none", "source", "destination", "both"])


def enrich(raw: pl.DataFrame, directory: Directory, tolerance_ns: int = TOLERANCE_NS) -> pl.DataFrame:
    """Add ENRICHED to rows of RawFlow with batch facts; the rows keep their order.

    ``role`` says which of the ends live on the reporting node: source, destination, both or none. Where nobody had an
    address at the start of a connection, whoever got it at most ``tolerance_ns`` later had it.
    """
    at_ns = raw["started_at_ns"].to_numpy()
    source = ends_of(raw["original_source_address"], at_ns, directory, tolerance_ns)
    destination = ends_of(raw["reply_source_address"], at_ns, directory, tolerance_ns)
    dialled = Dialled(raw["original_destination_address"], raw["original_destination_port"], raw["protocol"])
    services = services_of(dialled, at_ns, directory, tolerance_ns)
    is_here = [_is_here(end, raw["node"], directory) for end in (source, destination)]
    return raw.with_columns(
        *_ends(),
        indices("source_index", source.holders),
        indices("destination_index", destination.holders),
        indices("service_index", services),
        directions(source, destination, services).alias("direction"),
        _ROLES.gather(pl.Series(is_here[0] + 2 * is_here[1])).alias("role"),
    )


def _ends() -> list[pl.Expr]:
    is_source_translated = (pl.col("reply_destination_address") != pl.col("original_source_address")) | (
        pl.col("reply_destination_port") != pl.col("original_source_port")
    )
    is_destination_translated = (pl.col("original_destination_address") != pl.col("reply_source_address")) | (
        pl.col("original_destination_port") != pl.col("reply_source_port")
    )
    return [
        pl.col("original_source_address").alias("source_address"),
        pl.col("original_source_port").alias("source_port"),
        pl.col("reply_source_address").alias("destination_address"),
        pl.col("reply_source_port").alias("destination_port"),
        pl.when(is_source_translated).then("reply_destination_address").alias("nat_address"),
        pl.when(is_source_translated).then("reply_destination_port").alias("nat_port"),
        pl.when(is_destination_translated).then("original_destination_address").alias("dialled_address"),
        pl.when(is_destination_translated).then("original_destination_port").alias("dialled_port"),
    ]


def _is_here(end: Ends, nodes: pl.Series, directory: Directory) -> Flags:
    """Whether an end lives on the reporting node."""
    own: Flags = (directory.node_names.gather(indices("index", end.holders)) == nodes).fill_null(value=False).to_numpy()
    return own
